import { createReadStream, createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { carriageReturn, lineFeed } from "./records.ts";

/** The kinds of line ends in a file, quoted ones included. */
export async function lineEnds(local: string): Promise<ReadonlySet<"\n" | "\r\n" | "\r">> {
  const found = new Set<"\n" | "\r\n" | "\r">();
  let before = 0;
  for await (const chunk of createReadStream(local) as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      if (before === carriageReturn) found.add(byte === lineFeed ? "\r\n" : "\r");
      else if (byte === lineFeed) found.add("\n");
      before = byte;
    }
  }
  if (before === carriageReturn) found.add("\r");
  return found;
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
