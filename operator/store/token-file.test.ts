import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { tokenFile } from "./token-file.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lemnis-token-"));
  path = join(folder, "token");
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

test("a token is read once a minute, and the next one is found", async () => {
  writeFileSync(path, "first\n");
  const token = tokenFile(path);
  expect(await token()).toBe("first");
  writeFileSync(path, "second\n");
  vi.advanceTimersByTime(59_000);
  expect(await token()).toBe("first");
  vi.advanceTimersByTime(2_000);
  expect(await token()).toBe("second");
});

test("a file that is not there yet is tried again", async () => {
  const token = tokenFile(path);
  await expect(token()).rejects.toThrow("ENOENT");
  writeFileSync(path, "late");
  expect(await token()).toBe("late");
});
