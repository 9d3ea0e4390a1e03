import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type FileEntry, relativePath } from "../../store/api.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import { mapTransfers } from "./concurrent.ts";
import { hasContent } from "./files.ts";

/** A file of a version, and the path under the folder that it goes to. */
export interface Placement {
  entry: FileEntry;
  target: string;
}

/** Brings files from the store into a folder, each verified. Files that are there and right are kept. */
export async function placeFiles(
  { store, logger }: AgentContext,
  namespace: string,
  { folder, files }: { folder: string; files: readonly Placement[] },
): Promise<void> {
  for (const { target } of files) {
    if (!relativePath.safeParse(target).success)
      throw permanent("StoreRejected", `the store named a file ${JSON.stringify(target)}`);
  }
  mkdirSync(folder, { recursive: true });
  const missing = await missingFiles(folder, files);
  await mapTransfers(missing, sizeOf, async ({ entry, target }) => {
    const file = join(folder, target);
    rmSync(file, { recursive: true, force: true });
    mkdirSync(dirname(file), { recursive: true });
    await store.download(namespace, entry.digest, file);
  });
  logger.info({ folder, files: missing.length }, "brought the files that were not there from the store");
}

export function sizeOf({ entry }: Placement): number {
  return entry.size;
}

/** Those that are not there, or not right. */
export async function missingFiles(folder: string, files: readonly Placement[]): Promise<Placement[]> {
  const missing: Placement[] = [];
  for (const file of files) if (!(await hasContent(join(folder, file.target), file.entry))) missing.push(file);
  return missing;
}
