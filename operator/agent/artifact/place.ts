import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FileEntry, relativePath } from "../../store/api.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import { mapConcurrent, transfers } from "./concurrent.ts";
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
  await mkdir(folder, { recursive: true });
  await mapConcurrent(files, transfers, async ({ entry, target }) => {
    if (!relativePath.safeParse(target).success)
      throw permanent("StoreRejected", `the store named a file ${JSON.stringify(target)}`);
    const file = join(folder, target);
    if (await hasContent(file, entry)) return;
    await rm(file, { recursive: true, force: true });
    await mkdir(dirname(file), { recursive: true });
    await store.download(namespace, entry.digest, file);
    logger.info({ path: target, bytes: entry.size }, "placed a file");
  });
}
