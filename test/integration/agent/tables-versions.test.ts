/** Versions by file: what is stored, what is noticed as the same, and what a profile has. */
import { appendFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../../operator/api/digest.ts";
import { namespace, snapshotTask, startWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const shares = [
  { name: "train", percent: 50 },
  { name: "test", percent: 50 },
];
const detail = (version = "1") => world.store.getDatasetVersion(namespace, "wine", version);

/** The digests that went to the store. */
function uploads(): string[] {
  const sent: string[] = [];
  const { uploadFile } = world.store;
  world.store.uploadFile = async (inNamespace, file, known) => {
    const stored = await uploadFile.call(world.store, inNamespace, file, known);
    sent.push(stored.digest);
    return stored;
  };
  return sent;
}

async function content(digest: string): Promise<string> {
  const target = join(world.paths.work, digest.slice(-16));
  await world.store.download(namespace, digest, target);
  return readFile(target, "utf8");
}

describe("without splits", () => {
  test("a file is stored to the byte, and one more among many is the only new one", async () => {
    const text = (index: number) => `id,name\r\n${index}," quoted ""x"" "\r\n`;
    for (let index = 0; index < 30; index++) await world.source(`folder/part-${index}.csv`, text(index));
    expect((await world.run(snapshotTask("folder/"))).message).toMatchObject({ version: 1, rows: 30 });
    await world.source("folder/part-30.csv", text(30));
    const sent = uploads();
    expect((await world.run(snapshotTask("folder/"))).message).toMatchObject({ version: 2, rows: 31 });
    const [before, after] = [await detail("1"), await detail("2")];
    const known = new Set(before.files.map(({ digest }) => digest));
    expect(after.files.filter(({ digest }) => !known.has(digest))).toEqual([
      { path: "all/part-30.csv", size: text(30).length, digest: sha256(text(30)) },
    ]);
    expect(after.splits).toEqual({ all: 31 });
    expect(sent).toEqual([sha256(text(30))]);
  });

  test("the same bytes are the same version, packed or not", async () => {
    await world.source("wine.csv", "a\n1\n");
    expect((await world.run(snapshotTask("wine.csv"))).message).toMatchObject({ version: 1 });
    await world.source("wine.csv.gz", gzipSync("a\n1\n"));
    expect((await world.run(snapshotTask("wine.csv.gz"))).message).toMatchObject({ version: 1 });
  });
});

describe("with splits", () => {
  test("each file is split by itself, and one more changes no other", async () => {
    const text = (part: number) =>
      `id,name\n${Array.from({ length: 40 }, (_, row) => `${part * 100 + row},"n, ${row}"\n`).join("")}`;
    await world.source("folder/a.csv", text(1));
    await world.source("folder/deep/b.csv", text(2));
    await world.run(snapshotTask("folder/", { splits: { seed: 0, shares } }));
    await world.source("folder/c.csv", text(3));
    const sent = uploads();
    await world.run(snapshotTask("folder/", { splits: { seed: 0, shares } }));
    const [before, after] = [await detail("1"), await detail("2")];
    expect(before.files.map(({ path }) => path)).toEqual([
      "test/a.csv",
      "test/deep/b.csv",
      "train/a.csv",
      "train/deep/b.csv",
    ]);
    expect(after.files).toEqual(expect.arrayContaining(before.files));
    expect(after.files).toHaveLength(6);
    expect(sent.sort()).toEqual(
      after.files
        .filter(({ path }) => path.endsWith("c.csv"))
        .map(({ digest }) => digest)
        .sort(),
    );
    const rows = await Promise.all(
      after.files.map(async ({ digest }) => (await content(digest)).split("\n").length - 2),
    );
    expect(rows.reduce((sum, count) => sum + count, 0)).toBe(120);
    expect((after.splits.train ?? 0) + (after.splits.test ?? 0)).toBe(120);
  });

  test("images are a list of files, split by their paths", async () => {
    for (let index = 0; index < 20; index++) await world.source(`images/${index}.png`, `png ${index}`);
    const task = snapshotTask("images/", { format: "Files", splits: { seed: 0, shares } });
    expect((await world.run(task)).message).toMatchObject({ version: 1, rows: 20 });
    const { files, splits, columns, profile } = await detail();
    expect([columns, profile]).toEqual([[], []]);
    expect(files).toHaveLength(20);
    expect(splits.train).toBe(files.filter(({ path }) => path.startsWith("train/")).length);
    await world.source("images/20.png", "png 20");
    await world.run(task);
    expect((await detail("2")).files).toEqual(expect.arrayContaining(files));
  });
});

describe("a profile", () => {
  test("has correlations, missing patterns, bins of dates, and nothing of sensitive columns", async () => {
    const rows = Array.from({ length: 60 }, (_, row) => {
      const secret = `secret-${row}`;
      return `${row},${row * 2},${row % 3 === 0 ? "" : row},2026-03-${String((row % 28) + 1).padStart(2, "0")},${secret}\n`;
    });
    await world.source("wine.csv", `x,y,gap,day,email\n${rows.join("")}`);
    const columns = [
      { name: "y", role: "Label" as const },
      { name: "day", role: "Timestamp" as const },
      { name: "email", sensitive: true as const },
    ];
    const { log } = await world.run(snapshotTask("wine.csv", { columns }));
    const version = await detail();
    const byName = new Map(version.profile.map((column) => [column.name, column]));
    expect(byName.get("x")?.correlation).toBeCloseTo(1, 10);
    expect(byName.get("gap")).toMatchObject({ nulls: 20, count: 60 });
    expect(version.missing).toEqual([{ columns: ["gap"], rows: 20 }]);
    expect(byName.get("day")?.histogram?.edges.at(0)).toBe(Date.UTC(2026, 2, 1) / 1000);
    expect(byName.get("day")?.histogram?.counts.reduce((sum, count) => sum + count, 0)).toBe(60);
    expect(byName.get("email")).toEqual({ name: "email", type: "String", count: 60, nulls: 0, distinct: 60 });
    expect(version.newest).toBe("2026-03-28T00:00:00.000Z");
    expect(version.columns.at(-1)).toEqual({ name: "email", type: "String", nullable: false, sensitive: true });
    expect(log + JSON.stringify(version)).not.toContain("secret-");
  });
});

describe("a volume's file that is written to", () => {
  const expectations = [{ name: "plausible", column: "amount", min: 0, onViolation: "Block" as const }];
  const read = (changes: Parameters<typeof snapshotTask>[1] = {}) =>
    world.run(snapshotTask("wine.csv", { expectations, ...changes }));
  const file = () => join(world.paths.source, "wine.csv");
  const beforeUpload = (change: () => Promise<void>) => {
    const { uploadFile } = world.store;
    world.store.uploadFile = async (...file) => {
      await change();
      return uploadFile.apply(world.store, file);
    };
  };
  const changed = {
    code: 1,
    message: { reason: "SourceChanged", message: expect.stringMatching(/^pvc:\/\/data\/wine\.csv changed while/) },
  };
  beforeEach(() => world.source("wine.csv", "id,amount\n1,5\n"));

  test.each<[string, () => Promise<void>]>([
    ["before its bytes go to the store", () => appendFile(file(), "-1,-999999\n")],
    ["with as many bytes", () => world.source("wine.csv", "id,amount\n1,9\n")],
    ["and gone", () => rm(file())],
  ])("%s makes no version, and is read again", async (_, change) => {
    beforeUpload(change);
    expect(await read()).toMatchObject(changed);
    expect((await world.store.dataset(namespace, "wine")).versions).toEqual([]);
  });

  test("while it stays there, or breaks what is expected of it, neither", async () => {
    const { dataset } = world.store;
    world.store.dataset = async (...name) => {
      await appendFile(file(), "2,-1\n");
      return dataset.apply(world.store, name);
    };
    // The store is asked for the last version before the source is listed, and for the current one after it.
    expect(await read({ storage: "Reference", expectations: [] })).toMatchObject(changed);
    expect(await read()).toMatchObject(changed);
  });

  test("after it has become a version makes another", async () => {
    expect((await read()).message).toMatchObject({ version: 1 });
    await appendFile(file(), "2,6\n");
    expect((await read()).message).toMatchObject({ version: 2 });
  });
});

test("how a CSV is written may be given, and goes with the version", async () => {
  await world.source("wine.csv", "1|'a|b'|NA\n2|x|3\n");
  const csv = { delimiter: "|", quote: "'", header: false, nullValues: ["NA"] };
  expect((await world.run(snapshotTask("wine.csv", { csv }))).message).toMatchObject({ rows: 2 });
  const version = await detail();
  expect(version).toMatchObject({
    csv,
    columns: [
      { name: "column0", type: "Int64" },
      { name: "column1" },
      { name: "column2", type: "Int64", nullable: true },
    ],
  });
  expect(version.profile[1]?.topValues?.map(({ value }) => value)).toEqual(["a|b", "x"]);
});

test("how far the reading has come is told to the store", async () => {
  const told: object[] = [];
  const { putDatasetProgress } = world.store;
  world.store.putDatasetProgress = (inNamespace, name, progress) => {
    told.push(progress);
    return putDatasetProgress.call(world.store, inNamespace, name, progress);
  };
  await world.source("wine.csv", "a\n1\n");
  await world.run(snapshotTask("wine.csv"));
  expect(told.length).toBeGreaterThan(0);
});
