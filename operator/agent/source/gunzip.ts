import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { LocalFile } from "../artifact/files.ts";
import { errorCode, errorText, permanent, type TaskError } from "../failure.ts";
import { writeBody } from "./transfer.ts";

/** How large a file may become. Data shrinks by 3 to 20 times, logs by 100; deflate's own limit is 1032. */
export interface UnpackLimit {
  /** Times its packed size. */
  ratio: number;
  /** Bytes that are no bomb at any ratio. */
  bytes: number;
}

export const unpackLimit: UnpackLimit = { ratio: 200, bytes: 1 << 30 };
/** Unpacking waits for nobody. */
const patience = { idle: 3_600_000, transfer: 12 * 3_600_000 };

/** The files with those that end in .gz unpacked into a folder. */
export async function gunzipFiles(
  files: readonly LocalFile[],
  into: string,
  most: UnpackLimit = unpackLimit,
): Promise<LocalFile[]> {
  const plain: LocalFile[] = [];
  for (const file of files) {
    plain.push(file.path.toLowerCase().endsWith(".gz") ? await gunzipFile(file, into, most) : file);
  }
  return plain;
}

async function gunzipFile(
  { path, local, size: packedSize }: LocalFile,
  into: string,
  most: UnpackLimit,
): Promise<LocalFile> {
  const target = { path, local: join(into, path.slice(0, -".gz".length)) };
  const bound = Math.max(most.bytes, most.ratio * packedSize);
  async function* unpacked() {
    const packed = createReadStream(local);
    const gunzip = createGunzip();
    packed.on("error", (error) => gunzip.destroy(error));
    let size = 0;
    for await (const chunk of packed.pipe(gunzip) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bound) {
        throw permanent(
          "SourceInvalid",
          `${path} unpacks to more than ${most.ratio} times its size and ${most.bytes >> 20} MiB: give the file unpacked`,
        );
      }
      yield chunk;
    }
  }
  const failure = (error: unknown): TaskError => {
    if (!errorCode(error)?.startsWith("Z_")) throw error;
    return permanent("SourceInvalid", `${path} is no whole gzip file: ${errorText(error)}`);
  };
  const body = { stream: Readable.from(unpacked()), length: undefined, label: path, failure };
  return { ...target, ...(await writeBody(body, target.local, patience)) };
}
