/** Bytes on their way to the store and from it, hashed as they pass. */
import type { Hash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { sha256 } from "../api/digest.ts";
import type { Content } from "./api.ts";
import { smallBytes, writeStream } from "./write-stream.ts";

/** Writes a body of as many bytes as its sender promised to a file; its size and digest. The body's chunks are gone afterwards. */
export async function writeContent(
  body: AsyncIterable<Buffer>,
  length: number | undefined,
  path: string,
): Promise<Content> {
  if (length !== undefined && length <= smallBytes) {
    const bytes = await buffer(body);
    writeFileSync(path, bytes);
    return { size: bytes.length, digest: sha256(bytes) };
  }
  await using file = await open(path, "w");
  return await writeStream(body, { file });
}

export async function* hashed(bytes: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}
