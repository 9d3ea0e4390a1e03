import { createHash, hash } from "node:crypto";
import { closeSync, constants, openSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { Content } from "./api.ts";
import { sync } from "./sync.ts";

const pieceBytes = 1 << 20;
/** As much of an upload is read after it has failed: a sender that is cut off in the middle does not hear why. */
const heardOutBytes = 256 * 2 ** 20;

/** Writes a stream to a new file, to the disk; its size and digest. A sender that announces few bytes sends no more. */
export async function receive(path: string, body: Readable, announcedBytes?: number): Promise<Content> {
  // A stream that breaks before it is read tells it to whoever reads it, and must not end the process.
  body.on("error", () => {});
  return announcedBytes !== undefined && announcedBytes <= pieceBytes
    ? receiveSmall(path, body)
    : receiveLarge(path, body);
}

/** What needs not wait for the disk is done at once: to ask another thread for each step would take ten times as long. */
async function receiveSmall(path: string, body: Readable): Promise<Content> {
  const bytes = await buffer(body);
  const file = openSync(path, "wx");
  try {
    writeFileSync(file, bytes);
    await sync(file);
  } finally {
    closeSync(file);
  }
  return { size: bytes.length, digest: `sha256:${hash("sha256", bytes)}` };
}

async function receiveLarge(path: string, body: Readable): Promise<Content> {
  const hash = createHash("sha256");
  let size = 0;
  let ignored = 0;
  await using file = await open(path, "wx");
  await using direct = await openDirect(path);
  const pieces = new Pieces(file, direct);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (pieces.failure) {
        ignored += chunk.length;
        if (ignored > heardOutBytes) break;
        continue;
      }
      hash.update(chunk);
      size += chunk.length;
      for (let at = 0; at < chunk.length; ) at += await pieces.add(chunk, at);
    }
    await pieces.write();
  } finally {
    await pieces.written;
  }
  if (pieces.failure) throw pieces.failure;
  await file.sync();
  return { size, digest: `sha256:${hash.digest("hex")}` };
}

/** Past the page cache: to copy bytes there, and to bring them from there to the disk, costs more than to hash them. */
async function openDirect(path: string): Promise<FileHandle | undefined> {
  return open(path, constants.O_WRONLY | constants.O_DIRECT).catch(unlessRefused);
}

/** Not every file system writes past the page cache. */
function unlessRefused(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "EINVAL") throw error;
}

/** Writes in large pieces, as each write has a price: one is filled while the other is written. */
class Pieces {
  failure: unknown;
  /** Resolves when what was handed over is written, or could not be. */
  written: Promise<void> = Promise.resolve();
  readonly #file: FileHandle;
  #direct: FileHandle | undefined;
  #filling = pageAligned(pieceBytes);
  #writing = pageAligned(pieceBytes);
  #length = 0;
  #position = 0;

  constructor(file: FileHandle, direct: FileHandle | undefined) {
    this.#file = file;
    this.#direct = direct;
  }

  /** Takes what has room of the bytes from `at`: how many. */
  async add(bytes: Buffer, at: number): Promise<number> {
    const taken = bytes.copy(this.#filling, this.#length, at);
    this.#length += taken;
    if (this.#length === this.#filling.length) await this.write();
    return taken;
  }

  /** Hands over what is waiting. */
  async write(): Promise<void> {
    if (this.#length === 0) return;
    await this.written;
    const piece = this.#filling.subarray(0, this.#length);
    this.written = this.#put(piece, this.#position).catch((error: unknown) => {
      this.failure ??= error;
    });
    this.#position += this.#length;
    [this.#filling, this.#writing] = [this.#writing, this.#filling];
    this.#length = 0;
  }

  async #put(piece: Buffer, position: number): Promise<void> {
    // Past the page cache go whole blocks only.
    if (this.#direct && piece.length === pieceBytes) {
      const written = await writeWhole(this.#direct, piece, position).then(() => true, unlessRefused);
      if (written) return;
      this.#direct = undefined;
    }
    await writeWhole(this.#file, piece, position);
  }
}

/** As whole blocks have to be for a write past the page cache: V8 begins a page for what might grow. */
function pageAligned(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes, { maxByteLength: bytes }));
}

async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  }
}
