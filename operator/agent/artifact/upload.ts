import type { FileEntry } from "../../store/api.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import { mapConcurrent, transfers } from "./concurrent.ts";
import { byPath, describeFile, type LocalFile } from "./files.ts";

/** More files than a version may have. */
const fileLimit = 10_000;

/** Puts the files into the store, which keeps one copy of equal bytes; their manifest, by path. */
export async function uploadFiles(
  { store }: AgentContext,
  namespace: string,
  files: readonly LocalFile[],
): Promise<FileEntry[]> {
  if (files.length > fileLimit) {
    throw permanent(
      "StoreRejected",
      `a version has at most ${fileLimit} files, this one ${files.length}: pack them into fewer`,
    );
  }
  const entries = await mapConcurrent(files, transfers, async (file) => {
    const entry = await describeFile(file);
    await store.uploadFile(namespace, file.local, entry);
    return entry;
  });
  return entries.sort(byPath);
}
