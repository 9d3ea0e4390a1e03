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
  mkdirSync(folder, { recursive: true });
  const sizeOf = ({ entry }: Placement) => entry.size;
  const placed = await mapTransfers(files, sizeOf, async ({ entry, target }) => {
    if (!relativePath.safeParse(target).success)
      throw permanent("StoreRejected", `the store named a file ${JSON.stringify(target)}`);
    const file = join(folder, target);
    if (await hasContent(file, entry)) return 0;
    rmSync(file, { recursive: true, force: true });
    mkdirSync(dirname(file), { recursive: true });
    await store.download(namespace, entry.digest, file);
    return entry.size;
  });
  const bytes = placed.reduce((sum, size) => sum + size, 0);
  logger.info({ folder, files: files.length, bytes }, "brought the files that were not there yet");
}
