import { createReadStream, createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { carriageReturn, lineFeed } from "./records.ts";

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
export async function unifyLineEnds(
  local: string,
  target: string,
  { quote, delimiter }: { quote: number; delimiter: number },
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  let quoted = false;
  let fresh = true;
  let held = false;
  async function* unified(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      const out = Buffer.allocUnsafe(chunk.length + 1);
      let length = 0;
      for (const byte of chunk) {
        if (held && byte !== lineFeed) out[length++] = lineFeed;
        if (byte === quote && (quoted || fresh)) quoted = !quoted;
        held = !quoted && byte === carriageReturn;
        // A quote after a closing one opens again: doubled quotes.
        fresh = byte === delimiter || byte === lineFeed || held || byte === quote;
        if (!held) out[length++] = byte;
      }
      yield out.subarray(0, length);
    }
    if (held) yield Buffer.from("\n");
  }
  await pipeline(createReadStream(local), unified, createWriteStream(target));
}
