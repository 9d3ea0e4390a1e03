import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { Content } from "./api.ts";

const pieceBytes = 1 << 20;
/** So much is written before the disk is set to work on it, beside what comes: little is left for the end. */
const syncBytes = 16 * 2 ** 20;
/** As much of an upload is read after it has failed: a sender that is cut off in the middle does not hear why. */
const heardOutBytes = 256 * 2 ** 20;

/** Writes a stream to a new file, to the disk; its size and digest. */
export async function receive(path: string, body: Readable, expectedBytes: number = pieceBytes): Promise<Content> {
  const hash = createHash("sha256");
  let size = 0;
  let ignored = 0;
  // A stream that breaks before it is read tells it to whoever reads it, and must not end the process.
  body.on("error", () => {});
  const file = await open(path, "wx");
  const pieces = new Pieces(file, expectedBytes);
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
    await pieces.settled();
    if (pieces.failure) throw pieces.failure;
    await file.sync();
  } finally {
    await pieces.settled();
    await file.close();
  }
  return { size, digest: `sha256:${hash.digest("hex")}` };
}

/** Writes in large pieces, as each write has a price: one is filled while the other is written. A small file needs a small one. */
class Pieces {
  failure: unknown;
  /** Resolves when what was handed over is written, or could not be. */
  #written: Promise<void> = Promise.resolve();
  /** Resolves when the disk has what was written until it was asked. */
  #synced: Promise<void> | undefined;
  #unsyncedBytes = 0;
  readonly #fail = (error: unknown): void => {
    this.failure ??= error;
  };
  readonly #file: FileHandle;
  readonly #pieceBytes: number;
  #filling: Buffer | undefined;
  #writing: Buffer | undefined;
  #length = 0;

  constructor(file: FileHandle, expectedBytes: number) {
    this.#file = file;
    this.#pieceBytes = Math.max(1, Math.min(expectedBytes, pieceBytes));
  }

  /** Takes what has room of the bytes from `at`: how many. */
  async add(bytes: Buffer, at: number): Promise<number> {
    this.#filling ??= Buffer.allocUnsafe(this.#pieceBytes);
    const taken = bytes.copy(this.#filling, this.#length, at);
    this.#length += taken;
    if (this.#length === this.#filling.length) await this.write();
    return taken;
  }

  /** Hands over what is waiting. */
  async write(): Promise<void> {
    if (!this.#filling || this.#length === 0) return;
    await this.#written;
    this.#sync();
    const piece = this.#filling.subarray(0, this.#length);
    this.#written = this.#file.writeFile(piece).catch(this.#fail);
    this.#unsyncedBytes += this.#length;
    [this.#filling, this.#writing] = [this.#writing, this.#filling];
    this.#length = 0;
  }

  async settled(): Promise<void> {
    await Promise.all([this.#written, this.#synced]);
  }

  #sync(): void {
    if (this.#synced || this.#unsyncedBytes < syncBytes) return;
    this.#unsyncedBytes = 0;
    // An error of the disk is told once: the sync at the end would not tell it again.
    const synced = this.#file.datasync().catch(this.#fail);
    this.#synced = synced.then(() => {
      this.#synced = undefined;
    });
  }
}
