import type { FileEntry } from "../../store/api.ts";
import { mapConcurrent, transfers } from "../artifact/concurrent.ts";
import { byPath, describeFile, type LocalFile } from "../artifact/files.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";

/** More files than a version may have. */
const fileLimit = 10_000;

/** A file of the version; `digest` and `size`, where they are known, save reading it once more. */
export type KnownFile = LocalFile & { digest?: string; size?: number };

/** The files' manifest, by path. */
export async function describeFiles(files: readonly KnownFile[]): Promise<FileEntry[]> {
  if (files.length > fileLimit) {
    throw permanent(
      "SourceInvalid",
      `a version has at most ${fileLimit} files, this one ${files.length}: pack them into fewer`,
    );
  }
  const entries = await mapConcurrent(files, transfers, async ({ path, local, digest, size }) =>
    digest !== undefined && size !== undefined ? { path, size, digest } : describeFile({ path, local }),
  );
  return entries.sort(byPath);
}

/** Puts the files into the store, which keeps one copy of equal bytes and takes none that it has. */
export async function storeFiles(
  { store }: AgentContext,
  namespace: string,
  { files, entries, stored }: { files: readonly LocalFile[]; entries: readonly FileEntry[]; stored: (bytes: number) => void },
): Promise<void> {
  const locals = new Map(files.map(({ path, local }) => [path, local]));
  await mapConcurrent(entries, transfers, async (entry) => {
    await store.uploadFile(namespace, locals.get(entry.path) ?? "", entry);
    stored(entry.size);
  });
}
