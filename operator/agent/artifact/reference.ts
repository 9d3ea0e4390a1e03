import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Origin } from "../../store/api.ts";
import type { AgentContext } from "../context.ts";
import { permanent, TaskError } from "../failure.ts";
import { openPinned } from "../source/pinned.ts";
import type { ArtifactLocation } from "../tasks.ts";
import { mapTransfers } from "./concurrent.ts";
import { checkPath } from "./files.ts";
import { missingFiles, type Placement, sizeOf } from "./place.ts";

interface References {
  folder: string;
  files: readonly Placement[];
  /** One for each of the files, by path. */
  origins: readonly Origin[];
  /** How messages name what the files are of. */
  pinned: string;
}

/**
 * Brings files from the source that pins them into a folder. What is there now and not what was pinned is SourceChanged: a
 * version's bytes are its own or none.
 */
export async function placeReferences(
  context: Pick<AgentContext, "paths" | "timing" | "allowLoopback" | "logger">,
  location: ArtifactLocation,
  { folder, files, origins, pinned }: References,
): Promise<void> {
  const byPath = new Map(origins.map((origin) => [origin.path, origin]));
  const missing = await missingFiles(folder, files);
  if (missing.length === 0) return;
  const source = await openPinned(context, location);
  try {
    const place = async ({ entry, target }: Placement) => {
      const origin = byPath.get(entry.path);
      if (!origin) throw permanent("StoreRejected", `the store does not say where ${entry.path} of ${pinned} is`);
      const local = join(folder, checkPath(target, "StoreRejected"));
      await rm(local, { recursive: true, force: true });
      const written = await source.write(origin, local).catch((error: unknown) => {
        throw changed(error) ? changedError(origin, pinned, error.message) : error;
      });
      if (written.digest === entry.digest) return;
      await rm(local);
      throw changedError(origin, pinned, "its bytes are others");
    };
    if (source.oneByOne) for (const file of missing) await place(file);
    else await mapTransfers(missing, sizeOf, place);
    context.logger.info({ folder, files: missing.length }, "brought the files that were not there from their source");
  } finally {
    await source.close();
  }
}

function changed(error: unknown): error is TaskError {
  return error instanceof TaskError && (error.reason === "SourceNotFound" || error.reason === "SourceChanged");
}

function changedError({ uri }: Origin, pinned: string, why: string): TaskError {
  return permanent(
    "SourceChanged",
    `${uri} is not what ${pinned} pins (${why}): put it back, use a newer version, or set storage: Copy`,
  );
}
