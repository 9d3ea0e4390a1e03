/** Writes what comes over the network to a file, in pieces that are used again and again. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { digestOf } from "../api/digest.ts";
import type { Content } from "./api.ts";

/** A file of no more bytes is held in memory and written at once: to ask another thread for each step would take ten times as long. */
export const smallBytes = 1 << 20;
const pieceBytes = 1 << 20;

export interface Target {
  file: FileHandle;
  /** The same file, opened by `openDirect`: for whole pieces. */
  direct?: FileHandle | undefined;
}

/**
 * Writes a stream's chunks; their size and digest. It takes them for its own: their memory is gone afterwards. `heardOutBytes`: as
 * much is still read when the file can't be written any more.
 */
export async function writeStream(body: AsyncIterable<Buffer>, target: Target, heardOutBytes = 0): Promise<Content> {
  const hash = createHash("sha256");
  let size = 0;
  let ignored = 0;
  const pieces = new Pieces(target);
  try {
    for await (const chunk of body) {
      if (pieces.failure) {
        ignored += chunk.length;
        if (ignored > heardOutBytes) break;
        continue;
      }
      hash.update(chunk);
      size += chunk.length;
      for (let at = 0; at < chunk.length; ) at += await pieces.add(chunk, at);
      giveBack(chunk);
    }
    await pieces.write();
  } finally {
    await pieces.written;
  }
  if (pieces.failure) throw pieces.failure;
  return { size, digest: digestOf(hash) };
}

/** Past the page cache: to copy bytes there, and to bring them from there to the disk, costs more than to hash them. */
export async function openDirect(path: string): Promise<FileHandle | undefined> {
  return open(path, constants.O_WRONLY | constants.O_DIRECT).catch(unlessRefused);
}

/** Not every file system writes past the page cache. */
function unlessRefused(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "EINVAL") throw error;
}

/**
 * Frees a chunk's memory now. It is outside of V8's heap and counts as its growth until the chunk is collected: all of a small heap
 * would be looked through after each ten megabytes that come.
 */
function giveBack({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}

/** Writes in large pieces, as each write has a price: one is filled while the other is written. */
class Pieces {
  failure: unknown;
  /** Resolves when what was handed over is written, or could not be. */
  written: Promise<void> = Promise.resolve();
  readonly #target: Target;
  #filling = pageAligned(pieceBytes);
  #writing = pageAligned(pieceBytes);
  #length = 0;
  #position = 0;

  constructor(target: Target) {
    this.#target = target;
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
    const { file, direct } = this.#target;
    if (direct && piece.length === pieceBytes) {
      const written = await writeWhole(direct, piece, position).then(() => true, unlessRefused);
      if (written) return;
      this.#target.direct = undefined;
    }
    await writeWhole(file, piece, position);
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
