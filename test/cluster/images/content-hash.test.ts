import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contentHash, ignoreRule } from "./content-hash.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lemnis-hash-"));
  mkdirSync(join(folder, "src", "deep"), { recursive: true });
  writeFileSync(join(folder, "src", "deep", "a.ts"), "a");
  writeFileSync(join(folder, "src", "b.test.ts"), "b");
  writeFileSync(join(folder, "other"), "c");
});
afterEach(() => rmSync(folder, { recursive: true }));

const hash = (sources = ["src/"], ignored: string[] = []) => contentHash(folder, sources, ignored);

test("content, names and modes of what is copied change the hash", async () => {
  const hashes = [await hash()];
  writeFileSync(join(folder, "src", "deep", "a.ts"), "A");
  hashes.push(await hash());
  renameSync(join(folder, "src", "deep", "a.ts"), join(folder, "src", "deep", "c.ts"));
  hashes.push(await hash());
  chmodSync(join(folder, "src", "deep", "c.ts"), 0o755);
  hashes.push(await hash());
  expect(new Set(hashes).size).toBe(4);
});

test("what is not copied, or ignored, does not", async () => {
  const before = await hash(["src"], ["**/*.test.ts"]);
  writeFileSync(join(folder, "other"), "changed");
  writeFileSync(join(folder, "src", "b.test.ts"), "changed");
  expect(await hash(["src"], ["**/*.test.ts"])).toBe(before);
  expect(await hash(["src"])).not.toBe(before);
});

test("wildcards and the whole context are sources too", async () => {
  const all = await hash(["."]);
  const some = await hash(["oth*"]);
  const starred = await hash(["*"]);
  writeFileSync(join(folder, "other"), "changed");
  expect(await hash(["."])).not.toBe(all);
  expect(await hash(["oth*"])).not.toBe(some);
  const changed = await hash(["*"]);
  expect(changed).not.toBe(starred);
  writeFileSync(join(folder, ".hidden"), "h");
  expect(await hash(["*"])).not.toBe(changed);
});

test("ignore patterns: a folder takes its content along, and the last pattern that matches decides", () => {
  const isIgnored = ignoreRule(["/node_modules/", "*", "!src", "!docs/keep.md", "src/**/*.log"]);
  expect(isIgnored("node_modules")).toBe(true);
  expect(isIgnored("node_modules/x/y.js")).toBe(true);
  expect(isIgnored("src/a.ts")).toBe(false);
  expect(isIgnored("src/deep/a.log")).toBe(true);
  expect(isIgnored("docs")).toBe(false);
  expect(isIgnored("docs/keep.md")).toBe(false);
  expect(isIgnored("README.md")).toBe(true);
});
