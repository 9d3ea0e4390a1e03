import { closeSync, openSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { sha256 } from "../api/digest.ts";
import type { Content } from "./api.ts";
import { sync } from "./sync.ts";
import { openDirect, smallBytes, writeStream } from "./write-stream.ts";

/** As much of an upload is read after it has failed: a sender that is cut off in the middle does not hear why. */
const heardOutBytes = 256 * 2 ** 20;

/** Writes a stream to a new file, to the disk; its size and digest. A sender that announces few bytes sends no more. */
export async function receive(path: string, body: Readable, announcedBytes?: number): Promise<Content> {
  // A stream that breaks before it is read tells it to whoever reads it, and must not end the process.
  body.on("error", () => {});
  return announcedBytes !== undefined && announcedBytes <= smallBytes
    ? receiveSmall(path, body)
    : receiveLarge(path, body);
}

/** Another thread waits for the disk, and for nothing else. */
async function receiveSmall(path: string, body: Readable): Promise<Content> {
  const bytes = await buffer(body);
  const file = openSync(path, "wx");
  try {
    writeFileSync(file, bytes);
    await sync(file);
  } finally {
    closeSync(file);
  }
  return { size: bytes.length, digest: sha256(bytes) };
}

async function receiveLarge(path: string, body: Readable): Promise<Content> {
  await using file = await open(path, "wx");
  await using direct = await openDirect(path);
  const received = await writeStream(body, { file, direct }, heardOutBytes);
  await file.sync();
  return received;
}
