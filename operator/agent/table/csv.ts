import { createReadStream } from "node:fs";
import type { LocalFile } from "../artifact/files.ts";
import { clip, errorText, permanent, type TaskError } from "../failure.ts";
import { type Database, literal } from "./database.ts";
import { checkNames, checkSame, type RawColumn, type RawTable } from "./raw.ts";
import { type SplitRule, withSplit } from "./split.ts";

/** Longer headers are no headers. */
const headerBytes = 4 << 20;

export interface CsvDialect {
  delimiter: string;
  names: string[];
}

/**
 * Every file has a header; its most frequent separator of `,` `;` tab and `|` is the file's. Quotes are `"`, doubled inside
 * (RFC 4180). An empty cell is null, a quoted empty one is the empty text.
 */
export async function readCsv(database: Database, files: readonly LocalFile[], rule: SplitRule): Promise<RawTable> {
  let first: { names: string[]; file: string } | undefined;
  const parts: RawTable["parts"] = [];
  let columns: RawColumn[] = [];
  for (const { path, local } of files) {
    const { names, delimiter } = await readDialect(local, path);
    if (first) {
      checkSame(names, path, first);
    } else {
      checkNames(names, path);
      first = { names, file: path };
      columns = names.map((name, index) => ({ name, cell: `c${index}`, text: `c${index}`, written: `c${index}` }));
      await database.run(
        `CREATE TABLE raw (${columns.map(({ cell }) => `${cell} VARCHAR`).join(", ")}, split UTINYINT)`,
      );
    }
    const spec = columns.map(({ cell }) => `'${cell}': 'VARCHAR'`).join(", ");
    const source = `read_csv(${literal(local)}, columns = {${spec}}, auto_detect = false, header = true,
      delim = ${literal(delimiter)}, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false,
      null_padding = false, strict_mode = true, max_line_size = 16777216, compression = 'none')`;
    try {
      parts.push({ path, rows: await database.run(`INSERT INTO raw ${withSplit(columns, rule, source)}`) });
    } catch (error) {
      throw csvError(error, path, names.length);
    }
  }
  return { columns, parts, rows: parts.reduce((sum, { rows }) => sum + rows, 0) };
}

/** Exported for its test. */
export async function readDialect(local: string, path: string): Promise<CsvDialect> {
  const header = await readHeader(local, path);
  const counts = [",", ";", "\t", "|"].map((delimiter) => ({ delimiter, cells: splitRecord(header, delimiter) }));
  const best = counts.reduce((best, candidate) => (candidate.cells.length > best.cells.length ? candidate : best));
  return { delimiter: best.delimiter, names: best.cells.map((name) => name.trim()) };
}

async function readHeader(local: string, path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  let end = -1;
  let quoted = false;
  read: for await (const chunk of createReadStream(local) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index];
      if (byte === 0x22) quoted = !quoted;
      else if (!quoted && (byte === 0x0a || byte === 0x0d)) {
        end = size + index;
        break read;
      }
    }
    size += chunk.length;
    if (size > headerBytes)
      throw permanent("SourceInvalid", `${path}: no line ends within ${headerBytes >> 20} MiB: is this a CSV file?`);
  }
  const bytes = Buffer.concat(chunks);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch {
    throw permanent("SourceInvalid", `${path}, line 1: the header is not valid UTF-8: save the file as UTF-8`);
  }
}

function splitRecord(line: string, delimiter: string): string[] {
  const cells: string[] = [];
  let cell = "";
  let quoted = false;
  for (let index = 0; index < line.length; index++) {
    const char = line[index];
    if (quoted && char === '"' && line[index + 1] === '"') cell += line[index++];
    else if (char === '"') quoted = !quoted;
    else if (char === delimiter && !quoted) {
      cells.push(cell);
      cell = "";
    } else cell += char;
  }
  return [...cells, cell];
}

/** DuckDB's long advice in one line that names file, line and what was expected. */
function csvError(error: unknown, path: string, width: number): TaskError {
  const text = errorText(error);
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1];
  if (!line) return permanent("SourceInvalid", `${path} can't be read as CSV: ${clip(text.split("\n")[0] ?? "", 300)}`);
  const where = `${path}, line ${line}`;
  const found = /Expected Number of Columns: \d+ Found: (\d+)/.exec(text)?.[1];
  if (found)
    return permanent("SourceInvalid", `${where}: ${found} columns where the header has ${width}: mend the row`);
  if (/unicode|utf-8/i.test(text))
    return permanent("SourceInvalid", `${where}: not valid UTF-8: save the file as UTF-8`);
  if (/unterminated quote/.test(text)) {
    return permanent(
      "SourceInvalid",
      `${where}: a quote is not closed, or stands inside a cell: write "…" around the cell and double its quotes`,
    );
  }
  const [, why = ""] = /Original Line:[\s\S]*?\n([A-Z][^\n]+)\n/.exec(text) ?? [];
  return permanent("SourceInvalid", `${where}: ${clip(why || (text.split("\n")[0] ?? ""), 300)}`);
}
