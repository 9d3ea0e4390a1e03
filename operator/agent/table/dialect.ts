import { createReadStream } from "node:fs";
import { permanent } from "../failure.ts";
import type { CsvOptions } from "./raw.ts";
import { carriageReturn, lineFeed } from "./records.ts";

/** Longer headers are no headers. */
const headerBytes = 4 << 20;
const delimiters = [",", ";", "\t", "|"];

export interface Dialect {
  delimiter: string;
  quote: string;
  header: boolean;
  nulls: readonly string[];
  names: string[];
  /** The last byte of a line's end: a line feed, or a carriage return where no line feed follows it. */
  lineEnd: number;
  /** True when all line ends outside quotes are line feeds now. */
  isUnified?: true;
}

/**
 * How a file is written: what `csv` gives, and else by its first line, whose most frequent separator of `,` `;` tab and
 * `|` is the file's. Quotes are doubled inside quotes (RFC 4180).
 */
export async function readDialect(local: string, path: string, csv?: CsvOptions): Promise<Dialect> {
  const { quote = '"', header = true, nullValues = [""] } = csv ?? {};
  const { line, lineEnd } = await readFirst(local, path, quote);
  if (header && line.trim() === "") {
    throw permanent("SourceInvalid", `${path}, line 1: empty, where the header is to be: remove the lines before it`);
  }
  const counts = (csv?.delimiter ? [csv.delimiter] : delimiters).map((delimiter) => ({
    delimiter,
    cells: splitRecord(line, delimiter, quote),
  }));
  const best = counts.reduce((best, candidate) => (candidate.cells.length > best.cells.length ? candidate : best));
  const names = best.cells.map((name, index) => (header ? name.trim() : `column${index}`));
  if (header && csv?.delimiter && names.length === 1 && delimiters.some((other) => line.includes(other))) {
    throw permanent(
      "SourceInvalid",
      `${path}, line 1: csv.delimiter is ${JSON.stringify(csv.delimiter)}, but the header has other separators and not this one: leave it out, or give the right one`,
    );
  }
  return { delimiter: best.delimiter, quote, header, nulls: nullValues, names, lineEnd };
}

async function readFirst(local: string, path: string, quote: string): Promise<{ line: string; lineEnd: number }> {
  const chunks: Buffer[] = [];
  let size = 0;
  let end = -1;
  let quoted = false;
  const quoteByte = quote.charCodeAt(0);
  read: for await (const chunk of createReadStream(local) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index];
      if (byte === quoteByte) quoted = !quoted;
      else if (!quoted && (byte === 0x0a || byte === 0x0d)) {
        end = size + index;
        break read;
      }
    }
    size += chunk.length;
    if (size > headerBytes)
      throw permanent("SourceInvalid", `${path}, line 1: longer than ${headerBytes >> 20} MiB: is this a CSV file?`);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length === 0) throw permanent("SourceInvalid", `${path} is empty: remove it, or write at least a header`);
  try {
    const line = new TextDecoder("utf-8", { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
    const onlyReturn = bytes[end] === carriageReturn && bytes.length > end + 1 && bytes[end + 1] !== lineFeed;
    return { line, lineEnd: onlyReturn ? carriageReturn : lineFeed };
  } catch {
    throw permanent("SourceInvalid", `${path}, line 1: the header is not valid UTF-8: save the file as UTF-8`);
  }
}

function splitRecord(line: string, delimiter: string, quote: string): string[] {
  const cells: string[] = [];
  let cell = "";
  let quoted = false;
  for (let index = 0; index < line.length; index++) {
    const char = line[index];
    if (quoted && char === quote && line[index + 1] === quote) cell += line[index++];
    else if (char === quote) quoted = !quoted;
    else if (char === delimiter && !quoted) {
      cells.push(cell);
      cell = "";
    } else cell += char;
  }
  return [...cells, cell];
}
