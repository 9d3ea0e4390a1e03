/** The store's volume: small, in memory, and full when a fault says so. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Volume {
  dir: string;
  /** Leaves no room; again, none of what has become free since. */
  fill(): void;
  makeRoom(): void;
  /** Also done when this process ends. */
  remove(): void;
}

const megabytes = 512;
const chunk = Buffer.alloc(1 << 16);

export function volumeOf(): Volume {
  const dir = mkdtempSync(join(tmpdir(), "lemnis-volume-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", dir]);
  const ballast = join(dir, "ballast");
  let mounted = true;
  const remove = () => {
    if (!mounted) return;
    mounted = false;
    // Lazily: whoever has a file open there is about to end.
    execFileSync("umount", ["--lazy", dir]);
    rmSync(dir, { recursive: true, force: true });
  };
  process.once("exit", remove);
  return {
    dir,
    fill() {
      const file = openSync(ballast, "a");
      try {
        // The last bytes of all go too: a page may be left when a whole chunk has no room.
        for (const size of [chunk.length, 4096, 1]) while (fits(file, size));
      } finally {
        closeSync(file);
      }
    },
    makeRoom: () => rmSync(ballast, { force: true }),
    remove,
  };
}

function fits(file: number, size: number): boolean {
  try {
    return writeSync(file, chunk, 0, size) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}
