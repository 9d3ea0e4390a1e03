/** Waits for the disk, which only another thread may do; what opens and closes meanwhile takes no time. */
import { closeSync, fsync, openSync } from "node:fs";
import { promisify } from "node:util";

/** All that was written to an open file is on the disk. */
export const sync: (file: number) => Promise<void> = promisify(fsync);

/** What a folder has been given is on the disk once it is itself. */
export async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, "r");
  try {
    await sync(folder);
  } finally {
    closeSync(folder);
  }
}
