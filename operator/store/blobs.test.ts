import fs, { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fileOf, openStore, sha256 } from "../../test/builders/store.ts";
import type { FileEntry } from "./api.ts";
import { Blobs } from "./blobs.ts";

let store: Awaited<ReturnType<typeof openStore>>;
beforeEach(async () => {
  store = await openStore();
});
afterEach(() => store.close());

const content = "the bytes of a model";
const digest = sha256(content);
const uploads = () => readdirSync(join(store.folder, "blobs/.uploads"));
const stream = (...chunks: string[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

describe("an upload", () => {
  test("is there when its digest is right, and reads back the same, whole or in part", async () => {
    const body = stream("the bytes ", "of a model");
    expect(await store.blobs.put("a", { body, length: content.length, digest })).toEqual({ size: 20, digest });
    expect(await store.blobs.size("a", digest)).toBe(20);
    expect(await text(store.blobs.read("a", digest))).toBe(content);
    expect(await text(store.blobs.read("a", digest, { start: 4, end: 8 }))).toBe("bytes");
  });

  test.each<[string, () => Promise<unknown>, number]>([
    ["with other bytes", () => store.blobs.put("a", { body: stream("others"), digest }), 422],
    ["cut short", () => store.blobs.put("a", { body: stream("the bytes"), length: content.length }), 400],
  ])("%s is refused and leaves nothing", async (_, upload, status) => {
    await expect(upload()).rejects.toMatchObject({ status });
    expect(await store.blobs.size("a", digest)).toBeUndefined();
    expect(existsSync(store.blobs.path("a", digest))).toBe(false);
    expect(uploads()).toEqual([]);
  });

  test("of many small pieces and of a large one is as it was sent", async () => {
    const pieces = [Buffer.alloc(3 << 20, 1), ...Array.from({ length: 50_000 }, (_, n) => Buffer.from(`${n},`))];
    const whole = Buffer.concat(pieces);
    const received = await store.blobs.put("a", { body: Readable.from(pieces) });
    expect(received).toEqual({ size: whole.length, digest: sha256(whole) });
    expect(readFileSync(store.blobs.path("a", received.digest)).equals(whole)).toBe(true);
  });

  test("takes the place of bytes that were damaged on the disk", async () => {
    await store.upload("a", content);
    writeFileSync(store.blobs.path("a", digest), content.toUpperCase());
    await store.upload("a", content);
    expect(await text(store.blobs.read("a", digest))).toBe(content);
  });

  test("whose sender goes away is not there", async () => {
    const body = new Readable({ read() {} });
    const upload = store.blobs.put("a", { body });
    body.push("the bytes");
    body.destroy(new Error("reset"));
    await expect(upload).rejects.toThrow("reset");
    expect(await store.blobs.size("a", digest)).toBeUndefined();
    expect(uploads()).toEqual([]);
  });

  test("is on the disk with each folder that was made for it", async () => {
    const opened = vi.spyOn(fs, "openSync");
    syncBuiltinESMExports();
    /** Those that were written to the disk until all of the uploads were acknowledged. */
    const synced = async (...contents: string[]) => {
      opened.mockClear();
      await Promise.all(contents.map((content) => store.upload("new", content)));
      const paths = opened.mock.calls.flatMap(([path, flags]) => (flags === "r" ? [String(path)] : []));
      return paths.map((path) => relative(join(store.folder, "blobs"), path)).sort();
    };
    const shards = ["one", "two"].map((content) => `new/sha256/${sha256(content).slice(7, 9)}`).sort();
    expect(await synced("one", "two")).toEqual(["", "new", "new/sha256", "new/sha256", ...shards]);
    expect(await synced("one", "two")).toEqual(shards);
    opened.mockRestore();
    syncBuiltinESMExports();
  });

  test("may come twice at once", async () => {
    const both = [1, 2].map(() => store.blobs.put("a", { body: stream(content) }));
    expect(await Promise.all(both)).toEqual([
      { size: 20, digest },
      { size: 20, digest },
    ]);
    expect(await text(store.blobs.read("a", digest))).toBe(content);
  });

  test("is its own namespace's alone", async () => {
    await store.upload("a", content);
    expect(await store.blobs.size("b", digest)).toBeUndefined();
    await expect(store.blobs.refer(store.database, "b", "model/m/1", [fileOf(content)])).rejects.toThrow(
      /are not here: PUT artifacts/,
    );
  });
});

test("a record needs bytes that are there, with the right size", async () => {
  await store.upload("a", content);
  await expect(store.blobs.refer(store.database, "a", "o", [{ ...fileOf(content), size: 3 }])).rejects.toThrow(
    /has 20 bytes, not 3/,
  );
});

test("a record may have many files, and each is looked at", async () => {
  const contents = Array.from({ length: 123 }, (_, index) => `content ${index}`);
  const files = await Promise.all(contents.map((content) => store.upload("a", content)));
  await store.blobs.refer(store.database, "a", "model/m/1", files);
  const refs = await store.database.all("SELECT digest FROM blob_refs WHERE namespace = 'a' AND owner = 'model/m/1'");
  expect(refs).toHaveLength(123);
  for (const index of [0, 99, 100, 122]) {
    const wrong = files.with(index, { ...(files[index] as FileEntry), size: 1 });
    await expect(store.blobs.refer(store.database, "a", "o", wrong)).rejects.toThrow(/has \d+ bytes, not 1/);
  }
  await store.blobs.refer(store.database, "a", "o", []);
});

test("a file that was lost from the disk is not intact", async () => {
  await store.upload("a", content);
  expect(await store.blobs.isIntact("a", digest)).toBe(true);
  writeFileSync(store.blobs.path("a", digest), "cut");
  expect(await store.blobs.isIntact("a", digest)).toBe(false);
});

test("what a crash left half-written is gone at the next start", async () => {
  writeFileSync(join(store.folder, "blobs/.uploads/half"), "the by");
  new Blobs(store.folder, store.database);
  expect(uploads()).toEqual([]);
});

describe("unused blobs", () => {
  /** As if it had come a day ago. */
  const age = () => store.database.run("UPDATE blobs SET created_at = created_at - 86400000");

  test("are removed when they are old, file and row", async () => {
    const kept = await store.upload("a", "kept");
    const unused = await store.upload("a", "unused");
    await store.blobs.refer(store.database, "a", "model/m/1", [kept]);
    expect(await store.blobs.collect(3600_000)).toBe(0);
    await age();
    expect(await store.blobs.collect(3600_000)).toBe(1);
    expect([await store.blobs.size("a", kept.digest), await store.blobs.size("a", unused.digest)]).toEqual([
      4,
      undefined,
    ]);
    expect(existsSync(store.blobs.path("a", unused.digest))).toBe(false);
    await store.blobs.release(store.database, "a", "model/m/1");
    expect(await store.blobs.collect(3600_000)).toBe(1);
  });

  test("stay when somebody counts on them again, or refers to them while others are removed", async () => {
    const [counted, referred] = [await store.upload("a", "counted"), await store.upload("a", "zz referred")];
    for (const name of ["1", "2", "3"]) await store.upload("a", name);
    await age();
    await store.blobs.touch("a", counted.digest);
    const collecting = store.blobs.collect(3600_000);
    const still = (await store.blobs.size("a", referred.digest)) !== undefined;
    if (still) await store.blobs.refer(store.database, "a", "model/m/1", [referred]);
    await collecting;
    expect(await store.blobs.size("a", counted.digest)).toBe(7);
    if (still) expect(await store.blobs.isIntact("a", referred.digest)).toBe(true);
  });

  test("stay when somebody counts on them, or sends them again, while others are removed", async () => {
    for (let other = 0; other < 20; other++) await store.upload("a", `other ${other}`);
    // The last two that there are to remove.
    const [counted, sent] = [await store.upload("z", "counted"), await store.upload("z", "sent")];
    await age();
    const collecting = store.blobs.collect(3600_000);
    await store.blobs.touch("z", counted.digest);
    await store.upload("z", "sent");
    expect(await collecting).toBe(20);
    for (const { digest } of [counted, sent]) expect(await store.blobs.isIntact("z", digest)).toBe(true);
  });

  test("that are uploaded again meanwhile are there afterwards", async () => {
    await store.upload("a", content);
    await age();
    const body = new Readable({ read() {} });
    const upload = store.blobs.put("a", { body });
    body.push(content);
    expect(await store.blobs.collect(3600_000)).toBe(1);
    body.push(null);
    await upload;
    expect(await store.blobs.isIntact("a", digest)).toBe(true);
  });
});

test("files that a crash left without a row are deleted, and no others", async () => {
  const kept = await store.upload("a", "kept");
  const lost = await store.upload("a", "lost");
  await store.database.run("DELETE FROM blobs WHERE digest = ?", lost.digest);
  expect(await store.blobs.collectStray()).toBe(1);
  expect(existsSync(store.blobs.path("a", lost.digest))).toBe(false);
  expect(await store.blobs.isIntact("a", kept.digest)).toBe(true);
  expect(await store.blobs.collectStray()).toBe(0);
});
