import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { NamedFile } from "../artifact/files.ts";
import { permanent } from "../failure.ts";
import { carriageReturn, lineFeed } from "./records.ts";

/** Lines of twice this length have a whole block without an end; longer ones than a block may. */
const blockBytes = 8 << 20;
const lookBytes = 64 << 10;

/**
 * Refuses a file with a line that no parser should hold (DuckDB's goes on for hours), with a look at the first bytes of each
 * block of 8 MiB: few lines are so long that one must look further.
 */
export async function refuseLongLines({ path, local }: NamedFile): Promise<void> {
  const handle = await open(local);
  try {
    const { size } = await handle.stat();
    for (let start = 0; start + blockBytes <= size; start += blockBytes) {
      if (await hasLineEnd(handle, start)) continue;
      const line = (await countLines(local, start)) + 1;
      throw permanent(
        "SourceInvalid",
        `${path}, line ${line}: longer than ${blockBytes >> 20} MiB: is this a CSV file?`,
      );
    }
  } finally {
    await handle.close();
  }
}

async function hasLineEnd(handle: FileHandle, start: number): Promise<boolean> {
  const buffer = Buffer.alloc(lookBytes);
  for (let at = start; at < start + blockBytes; at += lookBytes) {
    const { bytesRead } = await handle.read(buffer, 0, lookBytes, at);
    const bytes = buffer.subarray(0, bytesRead);
    if (bytes.includes(lineFeed) || bytes.includes(carriageReturn)) return true;
  }
  return false;
}

async function countLines(local: string, end: number): Promise<number> {
  if (end === 0) return 0;
  let count = 0;
  for await (const chunk of createReadStream(local, { end: end - 1 }) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) count += 1;
  }
  return count;
}
