import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { withLock } from "./lock.ts";

const folder = mkdtempSync(join(tmpdir(), "lemnis-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("two holders never overlap, and a failure releases the lock", async () => {
  const file = join(folder, "lock");
  let inside = 0;
  const work = async () => {
    inside++;
    expect(inside).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside--;
    throw new Error("done");
  };
  const results = await Promise.allSettled([withLock(file, work), withLock(file, work), withLock(file, work)]);
  expect(results.map((result) => result.status === "rejected" && result.reason.message)).toEqual([
    "done",
    "done",
    "done",
  ]);
});
