import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FileEntry, manifestDigest } from "../../store/api.ts";
import type { AgentContext } from "../context.ts";
import { permanent, redact } from "../failure.ts";
import { fetchSource } from "../source/fetch.ts";
import type { ArtifactLocation } from "../tasks.ts";
import { describeFile, type LocalFile } from "./files.ts";

export interface VerifiedFiles {
  files: LocalFile[];
  entries: FileEntry[];
}

/**
 * Fetches a model from outside the store into a folder, and refuses it when it is not what `digest` says: the sha256 of the
 * one file, or the manifest's digest where the uri names a folder.
 */
export async function fetchVerified(
  context: AgentContext,
  { digest, ...location }: ArtifactLocation & { digest?: string | undefined },
  folder: string,
): Promise<VerifiedFiles> {
  const fetched = await fetchSource(context, location, { into: folder, wanted: () => true });
  const files: LocalFile[] = [];
  for (const file of fetched.files) {
    const { path, local } = file;
    const target = join(folder, path);
    if (target !== local) {
      await mkdir(dirname(target), { recursive: true });
      await copyFile(local, target);
    }
    files.push({ ...file, local: target });
  }
  const entries: FileEntry[] = [];
  for (const file of files) entries.push(await describeFile(file));
  const found = fetched.folder ? manifestDigest(entries) : entries[0]?.digest;
  if (digest !== undefined && found !== digest) {
    const what = fetched.folder ? "the digest of its files" : "its sha256";
    throw permanent(
      "DigestMismatch",
      `${redact(location.uri)} is not what the manifest pins: ${what} is ${found}, not ${digest}; if the change is wanted, update the digest`,
    );
  }
  return { files, entries };
}
