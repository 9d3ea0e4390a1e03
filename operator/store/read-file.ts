import { readFileSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** What is read, hashed and sent in one go stays in the processor's cache. */
const pieceBytes = 1 << 18;

export interface FileBytes {
  size: number;
  /**
   * Large pieces. Each is good until the next one is asked for: two buffers take turns, as to find memory for each piece
   * costs as much as to hash it.
   */
  pieces: AsyncIterable<Buffer>;
}

/** A file's bytes from begin to end; it is opened when the first are asked for. */
export async function bytesOf(path: string): Promise<FileBytes> {
  const { size } = statSync(path);
  return { size, pieces: size > pieceBytes ? read(path) : readSmall(path) };
}

/** To ask another thread for each step would take ten times as long as to read it. */
async function* readSmall(path: string): AsyncGenerator<Buffer> {
  const bytes = readFileSync(path);
  if (bytes.length > 0) yield bytes;
}

async function* read(path: string): AsyncGenerator<Buffer> {
  await using file = await open(path);
  let [piece, next] = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)];
  let filling = fill(file, piece);
  for (let length = await filling; length > 0; length = await filling) {
    filling = fill(file, next);
    // Who stops here does not hear how the next one went.
    filling.catch(() => undefined);
    yield piece.subarray(0, length);
    [piece, next] = [next, piece];
  }
}

/** Only the last piece is short: a file system may give less than is asked for. */
async function fill(file: FileHandle, piece: Buffer): Promise<number> {
  let length = 0;
  while (length < piece.length) {
    const { bytesRead } = await file.read(piece, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
