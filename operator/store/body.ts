/** Bytes on their way to the store and from it, hashed as they pass. */
import { createHash, type Hash } from "node:crypto";
import { createWriteStream, writeFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";

const smallBytes = 1 << 20;

/** Writes an answer's bytes to a file; their digest. Few are written at once: to ask another thread for each step would take longer. */
export async function writeBody(body: Readable, length: number, file: string): Promise<string> {
  const hash = createHash("sha256");
  if (length <= smallBytes) {
    const bytes = await buffer(body);
    writeFileSync(file, bytes);
    hash.update(bytes);
  } else {
    await pipeline(hashed(body, hash), createWriteStream(file));
  }
  return digestOf(hash);
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
