import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Entry, tarGz } from "../../../test/builders/archive.ts";
import { defaultLimits, type Limits, unpackArchive } from "./unpack.ts";

let root: string;
let into: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "lemnis-unpack-"));
  into = join(root, "code");
  await mkdir(into);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function unpack(archive: Buffer, folder = "", limits?: Limits): Promise<void> {
  const file = join(root, "code.tar.gz");
  await writeFile(file, archive);
  await unpackArchive(file, { into, folder }, limits);
}
const unpacked = async () => (await readdir(into, { recursive: true })).sort();

const commit: Entry[] = [
  { path: "train", type: "Directory", mode: 0o700 },
  { path: "train/train.py", content: "print(1)" },
  { path: "train/run.sh", content: "#!/bin/sh", mode: 0o755 },
  { path: "train/lib/data.py", content: "x", mode: 0o4600 },
  { path: "training.md", content: "y" },
];

test("all of a commit, or the content of one of its folders", async () => {
  await unpack(tarGz(...commit));
  expect(await unpacked()).toEqual([
    "train",
    "train/lib",
    "train/lib/data.py",
    "train/run.sh",
    "train/train.py",
    "training.md",
  ]);
  await rm(into, { recursive: true });
  await mkdir(into);
  await unpack(tarGz(...commit), "train");
  expect(await unpacked()).toEqual(["lib", "lib/data.py", "run.sh", "train.py"]);
  expect(await readFile(join(into, "train.py"), "utf8")).toBe("print(1)");
});

test("paths that begin with ./ are the same, and modes are plain", async () => {
  await unpack(
    tarGz({ path: "./", type: "Directory" }, ...commit.map((entry) => ({ ...entry, path: `./${entry.path}` }))),
    "train",
  );
  const mode = async (path: string) => ((await stat(join(into, path))).mode & 0o7777).toString(8);
  expect([await mode("train.py"), await mode("run.sh"), await mode("lib/data.py")]).toEqual(["644", "755", "644"]);
});

describe("an archive is refused, and nothing of it is written, that holds", () => {
  test.each<[string, Entry, RegExp]>([
    ["an absolute path", { path: "/tmp/evil", content: "x" }, /"\/tmp\/evil", which is no path inside/],
    ["a path that leads out", { path: "../evil", content: "x" }, /"\.\.\/evil", which is no path inside/],
    ["a path that leads out in its midst", { path: "a/../../evil", content: "x" }, /no path inside/],
    ["a link out", { path: "out", type: "SymbolicLink", linkpath: "/etc" }, /"out", a SymbolicLink: only files/],
    ["a hard link", { path: "hard", type: "Link", linkpath: "/etc/passwd" }, /"hard", a Link: only files/],
    ["a device", { path: "null", type: "CharacterDevice" }, /"null", a CharacterDevice/],
    ["a pipe", { path: "pipe", type: "FIFO" }, /a FIFO/],
    ["a backslash in a name", { path: "a\\..\\b", content: "x" }, /no path inside/],
  ])("%s", async (_, entry, says) => {
    const archive = tarGz(...commit, entry, { path: "after", content: "z" });
    for (const folder of ["", "train"]) {
      await expect(unpack(archive, folder)).rejects.toMatchObject({
        ...{ reason: "SourceInvalid", retryable: false, message: expect.stringMatching(says) },
      });
    }
    expect([await unpacked(), (await readdir(root)).sort()]).toEqual([[], ["code", "code.tar.gz"]]);
  });

  test("a file through a link that came before it", async () => {
    const link: Entry = { path: "out", type: "SymbolicLink", linkpath: ".." };
    await expect(unpack(tarGz(link, { path: "out/evil", content: "x" }))).rejects.toMatchObject({
      reason: "SourceInvalid",
    });
    expect((await readdir(root)).sort()).toEqual(["code", "code.tar.gz"]);
  });
});

test("whatever an archive holds, nothing is written outside of the folder, nor through a link", async () => {
  const part = fc.constantFrom("..", ".", "", "a", "b", "out", "train", "\\", "c\u0000d", "\u2025", "%2e%2e");
  const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
  const type = fc.constantFrom("File", "File", "Directory", "SymbolicLink", "Link", "FIFO" as const);
  const entry = fc.record({ path, type, linkpath: path }).map(
    (given): Entry => ({
      ...{ ...given, path: given.path || "x", mode: 0o777 },
      ...(given.type === "File" ? { content: "x" } : {}),
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 6 }),
      fc.constantFrom("", "a", "train/b"),
      async (entries, folder) => {
        await rm(into, { recursive: true, force: true });
        await mkdir(into);
        const error = await unpack(tarGz(...entries), folder).catch((thrown: unknown) => thrown);
        if (error !== undefined) expect(error).toMatchObject({ reason: expect.stringMatching(/^Source/) });
        expect((await readdir(root)).sort()).toEqual(["code", "code.tar.gz"]);
        const kinds = (await readdir(into, { recursive: true, withFileTypes: true })).map(
          (found) => found.isFile() || found.isDirectory(),
        );
        expect(kinds).not.toContain(false);
      },
    ),
    { numRuns: 200 },
  );
});

describe("limits", () => {
  const small = { bytes: 10_000, entries: 3 };
  test.each<[string, Buffer, RegExp]>([
    ["entries", tarGz(...commit), /holds more than 3 entries/],
    ["bytes", tarGz({ path: "a", content: "x".repeat(20_000) }), /unpacks to more than 10000 bytes/],
    ["bytes after its end", gzipSync(Buffer.alloc(1_000_000)), /unpacks to more than 10000 bytes/],
  ])("too many %s are refused", async (_, archive, says) => {
    await expect(unpack(archive, "", small)).rejects.toMatchObject({
      ...{ reason: "SourceInvalid", message: expect.stringMatching(says) },
    });
  });
});

test.each<[string, Buffer]>([
  ["no gzip", Buffer.from("hello")],
  ["no tar", gzipSync(Buffer.from("hello".repeat(1_000)))],
  ["half of one", tarGz(...commit).subarray(0, 150)],
])("what is %s is SourceInvalid", async (_, archive) => {
  await expect(unpack(archive)).rejects.toMatchObject({ reason: "SourceInvalid", retryable: false });
});

test("a folder that is not there, or is a file, is told", async () => {
  await expect(unpack(tarGz(...commit), "missing")).rejects.toMatchObject({
    ...{ reason: "SourceNotFound", message: expect.stringMatching(/no folder "missing".*gitRepositoryRef\.path/) },
  });
  await expect(unpack(tarGz(...commit), "training.md")).rejects.toMatchObject({
    ...{ reason: "SourceInvalid", message: expect.stringMatching(/a file, not a folder/) },
  });
});

test("an archive may unpack to 1 GiB, and hold 100,000 entries", () => {
  expect(defaultLimits).toEqual({ bytes: 1 << 30, entries: 100_000 });
});
