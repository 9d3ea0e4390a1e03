import { createReadStream, createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { LocalFile } from "../artifact/files.ts";
import { errorCode, errorText, permanent } from "../failure.ts";

/** The files with those that end in .gz unpacked into a folder. */
export async function gunzipFiles(files: readonly LocalFile[], into: string): Promise<LocalFile[]> {
  const plain: LocalFile[] = [];
  for (const file of files) plain.push(file.path.toLowerCase().endsWith(".gz") ? await gunzipFile(file, into) : file);
  return plain;
}

async function gunzipFile({ path, local }: LocalFile, into: string): Promise<LocalFile> {
  const target = join(into, path.slice(0, -".gz".length));
  await mkdir(dirname(target), { recursive: true });
  try {
    await pipeline(createReadStream(local), createGunzip(), createWriteStream(target));
  } catch (error) {
    if (!errorCode(error)?.startsWith("Z_")) throw error;
    throw permanent("SourceInvalid", `${path} is no whole gzip file: ${errorText(error)}`);
  }
  return { path, local: target };
}
