import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashFile } from "../artifact/files.ts";
import { gunzipFiles, unpackLimit } from "./gunzip.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lemnis-gunzip-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function unpack(content: Uint8Array, ...limit: [{ ratio: number; bytes: number }?]) {
  const local = join(folder, "a.csv.gz");
  await writeFile(local, content);
  return gunzipFiles([{ path: "a.csv.gz", local, size: content.length }], join(folder, "unpacked"), ...limit);
}

test("unpacks what ends in .gz, with its size and digest, and leaves the rest", async () => {
  const [file] = await unpack(gzipSync("a\n1\n"));
  expect(file).toMatchObject({ local: join(folder, "unpacked/a.csv"), size: 4 });
  expect(await readFile(file?.local ?? "", "utf8")).toBe("a\n1\n");
  expect(file).toMatchObject(await hashFile(file?.local ?? ""));
  const plain = { path: "b.csv", local: "b.csv", size: 4 };
  expect(await gunzipFiles([plain], folder)).toEqual([plain]);
});

test("refuses what is no gzip, or not all of it", async () => {
  for (const bad of [Buffer.from("a,b\n1,2\n"), gzipSync("a".repeat(1000)).subarray(0, 20)]) {
    await expect(unpack(bad)).rejects.toMatchObject({ reason: "SourceInvalid", retryable: false });
  }
});

test("refuses a bomb", async () => {
  const bomb = gzipSync(Buffer.alloc(1 << 20));
  await expect(unpack(bomb, { ratio: 200, bytes: 1 << 16 })).rejects.toMatchObject({
    reason: "SourceInvalid",
    retryable: false,
    message: expect.stringContaining("200 times"),
  });
  expect(await unpack(bomb, { ratio: 200, bytes: 1 << 21 })).toMatchObject([{ size: 1 << 20 }]);
  expect(await unpack(bomb, { ratio: 2000, bytes: 0 })).toMatchObject([{ size: 1 << 20 }]);
});

test("a bomb is what is more than 200 times its size and 1 GiB", () => {
  expect(unpackLimit).toEqual({ ratio: 200, bytes: 1 << 30 });
});
