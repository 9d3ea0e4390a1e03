import { type FileHandle, open, stat } from "node:fs/promises";

const pieceBytes = 1 << 20;

export interface FileBytes {
  size: number;
  /**
   * Large pieces, no larger than the file. Each is good until the next one is asked for: two buffers take turns, as to
   * find memory for each piece costs as much as to hash it.
   */
  pieces: AsyncIterable<Buffer>;
}

/** A file's bytes from begin to end; it is opened when the first are asked for. */
export async function bytesOf(path: string): Promise<FileBytes> {
  const { size } = await stat(path);
  return { size, pieces: read(path, Math.max(1, Math.min(size, pieceBytes))) };
}

async function* read(path: string, bytes: number): AsyncGenerator<Buffer> {
  await using file = await open(path);
  let [piece, next] = [Buffer.allocUnsafeSlow(bytes), Buffer.allocUnsafeSlow(bytes)];
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
