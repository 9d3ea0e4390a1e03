import { permanent } from "../failure.ts";
import { memoryLimit } from "../table/memory.ts";

/** What the process itself must be left with. */
const headroom = 64 << 20;

interface Need {
  rows: number;
  /** What the index will take. */
  bytes: number;
  /** What this container may use, and what it uses. */
  limit?: number;
  used?: number;
}

/** Refuses an index that would not fit beside what is there, the version being served included. */
export function checkMemory({ rows, bytes, limit = memoryLimit(), used = process.memoryUsage.rss() }: Need): void {
  if (used + bytes + headroom <= limit) return;
  const mib = (size: number) => Math.ceil(size / 2 ** 20);
  throw permanent(
    "MemoryTooSmall",
    `${rows} rows need ${mib(bytes)} MiB, and ${mib(used)} MiB of ${mib(limit)} are taken: set online.resources.limits.memory to ${mib((2 * bytes + used + headroom) * 1.1)}Mi or more; while a new version is loaded, the old one is there too`,
  );
}
