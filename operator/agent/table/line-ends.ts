import { createReadStream, createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { carriageReturn, lineFeed, markLength, type RecordShape, space } from "./records.ts";

/** True when a file has lines that end in more than one way, be it inside quotes. */
export async function mixesLineEnds(local: string): Promise<boolean> {
  const found = new Set<string>();
  let last = 0;
  for await (const chunk of createReadStream(local, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    // The end of a chunk is told by the next one.
    const bytes = last === carriageReturn ? Buffer.concat([Buffer.from([last]), chunk]) : chunk;
    for (let at = bytes.indexOf(lineFeed); at >= 0 && found.size < 2; at = bytes.indexOf(lineFeed, at + 1)) {
      found.add(bytes[at - 1] === carriageReturn ? "\r\n" : "\n");
    }
    for (
      let at = bytes.indexOf(carriageReturn);
      at >= 0 && found.size < 2;
      at = bytes.indexOf(carriageReturn, at + 1)
    ) {
      if (at + 1 < bytes.length) found.add(bytes[at + 1] === lineFeed ? "\r\n" : "\r");
    }
    if (found.size > 1) return true;
    last = bytes.at(-1) ?? 0;
  }
  if (last === carriageReturn) found.add("\r");
  return found.size > 1;
}

/** Copies a file with every line end outside quotes as a line feed. */
export async function unifyLineEnds(local: string, target: string, { quote, delimiter }: CellShape): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  let place: Place | undefined;
  let matched = 0;
  let held = false;
  async function* unified(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      const out = Buffer.allocUnsafe(chunk.length + 1);
      const mark = place === undefined ? markLength(chunk) : 0;
      let length = chunk.copy(out, 0, 0, mark);
      for (const byte of chunk.subarray(mark)) {
        if (held && byte !== lineFeed) out[length++] = lineFeed;
        matched = byte === delimiter[matched] ? matched + 1 : 0;
        const ends = matched === delimiter.length || byte === lineFeed || byte === carriageReturn;
        if (matched === delimiter.length) matched = 0;
        place = nextPlace(place ?? "begin", byte, { quote, ends });
        held = place === "begin" && byte === carriageReturn;
        if (!held) out[length++] = byte;
      }
      yield out.subarray(0, length);
    }
    if (held) yield Buffer.from("\n");
  }
  await pipeline(createReadStream(local), unified, createWriteStream(target));
}

type CellShape = Required<Pick<RecordShape, "quote" | "delimiter">>;

/** Where the last byte has led to: to a cell's begin, to its first space, … */
type Place = "begin" | "space" | "text" | "quoted" | "closed";

/** Quotes open and close as in `readRecords`; `ends`: the byte ends a cell, unless it is quoted. */
function nextPlace(place: Place, byte: number, { quote, ends }: { quote: number; ends: boolean }): Place {
  if (place === "quoted") return byte === quote ? "closed" : "quoted";
  if (byte === quote) return place === "text" ? "text" : "quoted";
  if (ends) return "begin";
  if (byte !== space) return "text";
  return place === "begin" ? "space" : place === "closed" ? "closed" : "text";
}
