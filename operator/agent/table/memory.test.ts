import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { databaseMemory, memoryLimit } from "./memory.ts";

const gigabyte = 2 ** 30;

test.each([
  ["a limit", `${gigabyte}\n`, gigabyte],
  ["no limit", "max\n", 8 * gigabyte],
  ["version 1's way to say none", "9223372036854771712\n", 8 * gigabyte],
])("a cgroup with %s", (_, content, bytes) => {
  const folder = mkdtempSync(join(tmpdir(), "lemnis-cgroup-"));
  try {
    writeFileSync(join(folder, "memory.max"), content);
    expect(memoryLimit([join(folder, "none"), join(folder, "memory.max")], 8 * gigabyte)).toBe(bytes);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("DuckDB gets half of it, within bounds", () => {
  expect(databaseMemory(gigabyte)).toBe(gigabyte / 2);
  expect(databaseMemory(1000)).toBe(128 << 20);
  expect(databaseMemory(1024 * gigabyte)).toBe(16 * gigabyte);
});
