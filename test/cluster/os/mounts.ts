import { readFileSync } from "node:fs";
import { run, tryRun } from "../command.ts";

/** Unmounts all that is mounted in these folders, the innermost first. */
export async function unmountUnder(folders: readonly string[]): Promise<void> {
  for (const point of folders.flatMap(mountsUnder).reverse()) {
    const done = await tryRun("umount", [point]);
    // Busy: detach it now, the kernel frees it when its last user ends.
    if (done === undefined) await run("umount", ["--lazy", point]);
  }
}

export function hasMounts(folder: string): boolean {
  return mountsUnder(folder).length > 0;
}

function mountsUnder(folder: string): string[] {
  const points = mountPoints(readFileSync("/proc/self/mountinfo", "utf8"));
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`));
}

/** Mount points in the order of mounting. The kernel writes blanks and the like as octal escapes. */
export function mountPoints(mountinfo: string): string[] {
  return mountinfo.split("\n").flatMap((line) => {
    const point = line.split(" ")[4];
    return point ? [point.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))] : [];
  });
}
