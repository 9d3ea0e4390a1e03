import type { FileEntry } from "../../store/api.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import type { TaskFailure } from "../tasks.ts";
import { mapTransfers } from "./concurrent.ts";
import { byPath, type LocalFile } from "./files.ts";

/** More files than a version may have. */
const fileLimit = 10_000;

/** Puts the files into the store, which keeps one copy of equal bytes; their manifest, by path. */
export async function uploadFiles(
  { store }: AgentContext,
  namespace: string,
  files: readonly LocalFile[],
): Promise<FileEntry[]> {
  checkCount(files, "StoreRejected");
  const entries = await mapTransfers(
    files,
    ({ size }) => size,
    async ({ path, local, digest, size }) => {
      const known = digest !== undefined ? { digest, size } : undefined;
      return { path, ...(await store.uploadFile(namespace, local, known)) };
    },
  );
  return entries.sort(byPath);
}

export function checkCount(files: readonly LocalFile[], reason: TaskFailure["reason"]): void {
  if (files.length <= fileLimit) return;
  throw permanent(reason, `a version has at most ${fileLimit} files, this one ${files.length}: pack them into fewer`);
}
