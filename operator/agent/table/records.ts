import { createReadStream } from "node:fs";
import type { NamedFile } from "../artifact/files.ts";
import { permanent } from "../failure.ts";

/** What tells records apart. JSON lines have no quotes to heed: their strings hold no line ends. */
export interface RecordShape {
  quote?: number;
  /** As UTF-8. */
  delimiter?: Buffer;
  /** The last byte of a line's end. */
  lineEnd: number;
}

export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
export const tab = 0x09;
export const space = 0x20;
const byteOrderMark = Buffer.from("\ufeff");
const chunkBytes = 1 << 20;
/** Longer records are refused before they are held. */
export const longestRecord = 16 << 20;

/** How many of a file's first bytes are a byte order mark. */
export function markLength(bytes: Buffer): number {
  const { length } = byteOrderMark;
  return bytes.subarray(0, length).equals(byteOrderMark) ? length : 0;
}

/** Some whole records: record n lies between ends[n - 1] (or 0) and ends[n], its line end included. */
export interface RecordBatch {
  bytes: Buffer;
  ends: number[];
}

/** The records of a file in order; the last one may lack its line end. Holds no more than a chunk and one record. */
export async function* readRecords({ path, local }: NamedFile, shape: RecordShape): AsyncGenerator<RecordBatch> {
  let rest: Buffer = Buffer.alloc(0);
  let count = 0;
  for await (const chunk of createReadStream(local, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const ends = recordEnds(bytes, shape, count === 0 ? markLength(bytes) : 0);
    const used = ends.at(-1) ?? 0;
    if (used > 0) yield { bytes, ends };
    count += ends.length;
    rest = bytes.subarray(used);
    if (rest.length > longestRecord) {
      throw permanent("SourceInvalid", `${path}, line ${count + 1}: longer than ${longestRecord >> 20} MiB`);
    }
  }
  if (rest.length > 0) yield { bytes: rest, ends: [rest.length] };
}

function recordEnds(bytes: Buffer, shape: RecordShape, begin: number): number[] {
  const { quote, lineEnd } = shape;
  const ends: number[] = [];
  let nextQuote = quote === undefined ? -1 : bytes.indexOf(quote);
  let start = begin;
  for (;;) {
    let end = bytes.indexOf(lineEnd, start);
    if (end < 0) return ends;
    if (quote !== undefined && nextQuote >= 0 && nextQuote < end) {
      end = quotedEnd(bytes, start, shape as Required<RecordShape>);
      if (end < 0) return ends;
      nextQuote = bytes.indexOf(quote, end + 1);
    }
    start = end + 1;
    ends.push(start);
  }
}

/**
 * Where a record with quotes ends; -1: not yet. As DuckDB has it, a quote opens at a cell's begin, also after one space, and
 * anew after a closed one and spaces; elsewhere it stands for itself.
 */
function quotedEnd(bytes: Buffer, start: number, { quote, delimiter, lineEnd }: Required<RecordShape>): number {
  const last = delimiter[delimiter.length - 1];
  let cell = start;
  for (let index = start; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === quote && (index === cell || (index === cell + 1 && bytes[cell] === space))) {
      do {
        index = bytes.indexOf(quote, index + 1) + 1;
        if (index === 0) return -1;
        while (last !== space && bytes[index] === space) index += 1;
      } while (bytes[index] === quote);
      if (index === bytes.length) return -1;
      index -= 1;
    } else if (byte === lineEnd) {
      return index;
    } else if (byte === last && endsWith(bytes, index + 1, delimiter)) {
      cell = index + 1;
    }
  }
  return -1;
}

function endsWith(bytes: Buffer, end: number, delimiter: Buffer): boolean {
  return delimiter.length === 1 || delimiter.equals(bytes.subarray(Math.max(0, end - delimiter.length), end));
}
