import type { FileEntry } from "../../store/api.ts";
import { mapConcurrent, transfers } from "../artifact/concurrent.ts";
import { byPath, describeFile, type LocalFile } from "../artifact/files.ts";
import { permanent } from "../failure.ts";
import type { Making } from "./register.ts";

/** More files than a version may have. */
const fileLimit = 10_000;

/** A file of the version; `digest` and `size`, where they are known, save reading it once more. */
export type KnownFile = LocalFile & { digest?: string; size?: number };

/** Files as they lie in a version's folder. */
export function inFolder(folder: string, files: readonly KnownFile[]): KnownFile[] {
  return files.map((file) => ({ ...file, path: `${folder}/${file.path}` }));
}

export interface Storing {
  /** The files' manifest, by path, when the store has them. */
  entries: Promise<FileEntry[]>;
  /** Sends no more files. */
  stop(): void;
}

/** Puts files into the store, which takes none that it has, unless they stay where they are. */
export function startStoring(making: Making, files: readonly KnownFile[]): Storing {
  const state = { stopped: false };
  const entries = storeFiles(making, files, state);
  // Who started it may fail before asking for them.
  entries.catch(() => undefined);
  return {
    entries,
    stop: () => {
      state.stopped = true;
    },
  };
}

async function storeFiles(
  { context, task, source, tell }: Making,
  files: readonly KnownFile[],
  state: { readonly stopped: boolean },
): Promise<FileEntry[]> {
  if (files.length > fileLimit) {
    throw permanent(
      "SourceInvalid",
      `a version has at most ${fileLimit} files, this one ${files.length}: pack them into fewer`,
    );
  }
  const totalBytes = files.every(({ size }) => size !== undefined)
    ? files.reduce((sum, { size = 0 }) => sum + size, 0)
    : undefined;
  let bytes = 0;
  const entries = await mapConcurrent(files, transfers, async ({ path, local, digest, size }) => {
    const entry =
      digest !== undefined && size !== undefined ? { path, size, digest } : await describeFile({ path, local });
    if (!source.origins && !state.stopped) await context.store.uploadFile(task.namespace, local, entry);
    bytes += entry.size;
    tell({ phase: "Storing", bytes, ...(totalBytes === undefined ? {} : { totalBytes }) });
    return entry;
  });
  return entries.sort(byPath);
}
