import type { FileEntry } from "../../store/api.ts";
import { mapTransfers } from "../artifact/concurrent.ts";
import { byPath, describeFile, type LocalFile } from "../artifact/files.ts";
import { checkCount } from "../artifact/upload.ts";
import type { Making } from "./register.ts";

/** Files as they lie in a version's folder. */
export function inFolder(folder: string, files: readonly LocalFile[]): LocalFile[] {
  return files.map((file) => ({ ...file, path: `${folder}/${file.path}` }));
}

export interface Storing {
  /** The files' manifest, by path, when the store has them. */
  entries: Promise<FileEntry[]>;
  /** Sends no more files. */
  stop(): void;
}

/** Puts files into the store, which takes none that it has, unless they stay where they are. */
export function startStoring(making: Making, files: readonly LocalFile[]): Storing {
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
  making: Making,
  files: readonly LocalFile[],
  state: { readonly stopped: boolean },
): Promise<FileEntry[]> {
  checkCount(files, "SourceInvalid");
  const { tell, current } = making;
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  let bytes = 0;
  const before = new Map(current?.files.map((file) => [file.path, file]));
  const entries = await mapTransfers(
    files,
    ({ size }) => size,
    async (file) => {
      const entry = await storeFile(making, file, { before: before.get(file.path), stopped: state.stopped });
      bytes += entry.size;
      tell({ phase: "Storing", bytes, totalBytes });
      return entry;
    },
  );
  return entries.sort(byPath);
}

/** `before`: the file of this path in the current version, whose bytes the store has. */
async function storeFile(
  { context: { store }, task: { namespace }, source }: Making,
  file: LocalFile,
  { before, stopped }: { before: FileEntry | undefined; stopped: boolean },
): Promise<FileEntry> {
  const { path, local, size, digest, stored } = file;
  const isWanted = !stored && !source.origins && !stopped;
  // To send what the store has would cost more than to read it twice.
  const isLikely = digest !== undefined || before?.size === size;
  if (isWanted && !isLikely) return { path, ...(await store.uploadFile(namespace, local)) };
  const entry = await describeFile(file);
  if (isWanted && entry.digest !== before?.digest) await store.uploadFile(namespace, local, entry);
  return entry;
}
