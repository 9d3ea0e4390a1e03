/** Bytes on their way to the store and from it, hashed as they pass. */
import { type Hash, hash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { writeStream } from "./write-stream.ts";

const smallBytes = 1 << 20;

/** Writes an answer's bytes to a file; their digest. Few are written at once: to ask another thread for each step would take longer. */
export async function writeBody(body: Readable, length: number, path: string): Promise<string> {
  if (length <= smallBytes) {
    const bytes = await buffer(body);
    writeFileSync(path, bytes);
    return `sha256:${hash("sha256", bytes)}`;
  }
  await using file = await open(path, "w");
  return (await writeStream(body, { file })).digest;
}

export async function* hashed(bytes: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

export function digestOf(hash: Hash): string {
  return `sha256:${hash.digest("hex")}`;
}
