import { readFileSync } from "node:fs";
import { totalmem } from "node:os";

const limitFiles = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/** Bytes that this container may use: its cgroup's limit (version 2 or 1), the machine's memory where it has none. */
export function memoryLimit(files: readonly string[] = limitFiles, total: number = totalmem()): number {
  for (const file of files) {
    try {
      const limit = Number(readFileSync(file, "utf8"));
      if (limit > 0) return Math.min(limit, total);
    } catch {
      // The other version's file is not there.
    }
  }
  return total;
}

/** Half is for DuckDB's buffers: what it allocates beside them, Node and the page cache have the rest. */
export function databaseMemory(limit: number = memoryLimit()): number {
  return Math.round(Math.min(Math.max(limit / 2, 128 << 20), 16 * 2 ** 30));
}
