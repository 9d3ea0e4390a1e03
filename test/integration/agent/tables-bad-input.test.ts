/** Files that are broken, each refused with its name and place, and no version. */
import { open, truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Database } from "../../../operator/agent/table/database.ts";
import type { SnapshotTask } from "../../../operator/agent/tasks.ts";
import { namespace, snapshotTask, startWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

async function refused(path: string, changes: Partial<SnapshotTask>, says: RegExp, reason = "SourceInvalid") {
  const { code, message } = await world.run(snapshotTask(path, changes));
  expect([code, message]).toEqual([3, { reason, message: expect.stringMatching(says) }]);
  expect((await world.store.dataset(namespace, "wine")).versions).toEqual([]);
}

describe("CSV", () => {
  test.each<[string, string | Uint8Array, RegExp, Partial<SnapshotTask>?]>([
    ["NULs", "a,b\n1,x\u0000y\n", /column b holds NUL characters: bad\.csv, row 1/],
    ["broken UTF-8", Buffer.from([0x61, 0x0a, 0xc3, 0x28, 0x0a]), /bad\.csv, line 2: not valid UTF-8/],
    ["a broken header", Buffer.from([0xff, 0xfe, 0x61, 0x0a]), /bad\.csv, line 1: the header is not valid UTF-8/],
    ["an empty first line", "\na,b\n1,2\n", /bad\.csv, line 1: empty, where the header is to be/],
    ["a column without a name", ",b\n1,2\n", /bad\.csv: column 1 has no name in the header: .*index=False/],
    ["ragged rows", "a,b\n1,2\n3\n", /bad\.csv, line 3: 1 columns where the header has 2/],
    ["ragged rows late", `a,b\n${"1,2\n".repeat(50_000)}3\n`, /bad\.csv, line 50002: 1 columns/],
    [
      "another delimiter than given",
      "a,b\n1,2\n",
      /csv\.delimiter is ";", but the header has other separators/,
      { csv: { delimiter: ";", header: true } },
    ],
    ["another quote than given", 'a,b\n"x,y",1\n', /line 2: 3 columns/, { csv: { quote: "'", header: true } }],
    ["an open quote", 'a,b\n"1,2\n3,4\n', /bad\.csv, line \d: a quote is not closed/],
  ])("with %s", async (_, content, says, changes = {}) => {
    await world.source("bad.csv", content);
    await refused("bad.csv", changes, says);
  });

  test("one file of another kind among others is named", async () => {
    await world.source("folder/a.csv", "x,y\n1,2\n");
    await world.source("folder/b.csv", "x,z\n1,2\n");
    await refused("folder/", {}, /folder.*|b\.csv: its columns differ from those of a\.csv: y missing; z not expected/);
    await world.source("folder/b.csv", "");
    await refused("folder/", {}, /b\.csv is empty/);
    await world.source("folder/b.csv", "x,y\n1,2\n1,2,3\n");
    await refused("folder/", {}, /b\.csv, line 3: 3 columns/);
  });

  test.each([
    ["a header", "", /bad\.csv, line 1: longer than 4 MiB/],
    ["a row", "a,b\n1,2\n", /bad\.csv, line 3: longer than 8 MiB/],
  ])("with %s of 5 GB, which is never held", async (_, content, says) => {
    const file = join(world.paths.source, "bad.csv");
    await world.source("bad.csv", `${content}${"x".repeat(1 << 20)}`);
    await truncate(file, 5e9);
    const before = process.memoryUsage.rss();
    await refused("bad.csv", {}, says);
    expect(process.memoryUsage.rss() - before).toBeLessThan(1e9);
  });
});

describe("JSON lines", () => {
  test.each<[string, string | Uint8Array, RegExp]>([
    [
      "deep nesting",
      `{"a": 1}\n{"a": ${"[".repeat(200_000)}${"]".repeat(200_000)}}\n`,
      /bad\.jsonl, line 2: nested more than 1000 deep/,
    ],
    [
      "broken UTF-8",
      Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d, 0x0a]),
      /bad\.jsonl, line 1: not valid UTF-8/,
    ],
    ["no objects", '{"a": 1}\n3\n', /bad\.jsonl, line 2: not an object/],
    ["half an object", '{"a": 1}\n{"a": \n', /bad\.jsonl, line 2: not valid JSON/],
    ["a line of 20 MB", `{"a": 1}\n{"a": "${"x".repeat(20 << 20)}"}\n`, /bad\.jsonl, line 2: longer than 16 MiB/],
    ["NULs", '{"a": "x\\u0000"}\n', /column a holds NUL characters: bad\.jsonl, row 1/],
  ])("with %s", async (_, content, says) => {
    await world.source("bad.jsonl", content);
    await refused("bad.jsonl", { format: "JSONL" }, says);
  });

  test("may begin with a byte order mark", async () => {
    await world.source("good.jsonl", '\ufeff{"a": 1}\n{"a": 2}\n');
    expect((await world.run(snapshotTask("good.jsonl", { format: "JSONL" }))).message).toMatchObject({ rows: 2 });
  });
});

describe("Parquet", () => {
  async function parquet(sql: string, path = "bad.parquet"): Promise<string> {
    const local = join(world.paths.source, path);
    await world.source(path, "");
    const database = await Database.open(join(world.paths.work, "writer"), [world.paths.source]);
    await database.run(`COPY (${sql}) TO '${local}' (FORMAT parquet)`);
    database.close();
    return local;
  }
  const rows = "SELECT range AS a, 'text ' || range AS b FROM range(5000)";

  test.each<[string, (size: number) => Promise<void> | [number, number[]]]>([
    ["no end", (size) => truncate(join(world.paths.source, "bad.parquet"), size / 2)],
    ["a footer that says it is longer than the file", (size) => [size - 8, [0xff, 0xff, 0xff, 0x7f]]],
    ["a footer that says it has no length", (size) => [size - 8, [0, 0, 0, 0]]],
    ["a footer of other bytes", (size) => [size - 200, new Array<number>(150).fill(0x99)]],
    ["pages of other bytes", () => [4, new Array<number>(3000).fill(0x55)]],
  ])("with %s", async (_, change) => {
    const local = await parquet(rows);
    const handle = await open(local, "r+");
    try {
      const changed = change((await handle.stat()).size);
      if (Array.isArray(changed)) await handle.write(Buffer.from(changed[1]), 0, changed[1].length, changed[0]);
      else await changed;
    } finally {
      await handle.close();
    }
    await refused("bad.parquet", { format: "Parquet" }, /bad\.parquet can't be read as Parquet/);
  });

  test("of another schema than its neighbour is named", async () => {
    await parquet("SELECT 1 AS a", "folder/a.parquet");
    await parquet("SELECT 'x' AS a", "folder/b.parquet");
    await refused("folder/", { format: "Parquet" }, /b\.parquet: column a is VARCHAR, but INTEGER in a\.parquet/);
  });

  test("is stored as it is, and split into files that hold its rows", async () => {
    await parquet(rows, "good.parquet");
    const shares = [
      { name: "train", percent: 80 },
      { name: "test", percent: 20 },
    ];
    const task = snapshotTask("good.parquet", {
      format: "Parquet",
      splits: { seed: 0, shares },
      columns: [{ name: "a", type: "Double" }],
    });
    expect((await world.run(task)).message).toMatchObject({ version: 1, rows: 5000 });
    const { files, splits, columns } = await world.store.getDatasetVersion(namespace, "wine", "1");
    expect(files.map(({ path }) => path)).toEqual(["test/good.parquet", "train/good.parquet"]);
    expect((splits.train ?? 0) + (splits.test ?? 0)).toBe(5000);
    expect(columns[0]).toMatchObject({ name: "a", type: "Double" });
  });
});

test("SQL of an expectation that does not end is given up", async () => {
  await world.source("wine.csv", "a\n1\n");
  const sql = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b";
  const task = snapshotTask("wine.csv", { expectations: [{ name: "e", onViolation: "Block", sql, max: 1 }] });
  const { message } = await world.run(task, { timing: { expectation: 600 } });
  expect(message).toEqual({ reason: "ExpectationFailed", message: "e: sql took longer than 0.6 s" });
});
