import { createReadStream, type ReadStream } from "node:fs";
import { stat } from "node:fs/promises";

const pieceBytes = 1 << 20;

export interface OpenFile {
  size: number;
  /** In pieces that are large, but no larger than the file: each piece is memory that must be found. */
  stream: ReadStream;
}

/** Opens a file to be read from begin to end. */
export async function openToRead(path: string): Promise<OpenFile> {
  const { size } = await stat(path);
  return { size, stream: createReadStream(path, { highWaterMark: Math.max(1, Math.min(size, pieceBytes)) }) };
}
