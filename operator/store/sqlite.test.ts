import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Sqlite } from "./sqlite.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lemnis-database-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what was written is there when the file is opened again, and migrations run once", async () => {
  const first = await Sqlite.open(folder);
  await first.run("INSERT INTO models VALUES ('a', 'wine', 3)");
  await first.close();
  const again = await Sqlite.open(folder);
  expect(await again.get("SELECT last_version FROM models")).toEqual({ last_version: 3 });
  await again.close();
});

test("a transaction happens whole or not at all", async () => {
  const database = await Sqlite.open(folder);
  const broken = database.transaction(async (queries) => {
    await queries.run("INSERT INTO models VALUES ('a', 'wine', 1)");
    throw new Error("crash");
  });
  await expect(broken).rejects.toThrow("crash");
  expect(await database.all("SELECT * FROM models")).toEqual([]);
  await database.close();
});

test("a full disk, on which SQLite rolls back by itself, is told as such", async () => {
  const database = await Sqlite.open(folder);
  await database.all("PRAGMA max_page_count = 1");
  const overflow = database.transaction((queries) =>
    queries.run("INSERT INTO models VALUES ('a', ?, 1)", "x".repeat(1_000_000)),
  );
  await expect(overflow).rejects.toThrow("database or disk is full");
  expect(await database.transaction((queries) => queries.all("SELECT * FROM models"))).toEqual([]);
  await database.close();
});

test("a file that is newer than this program, or none of ours, is refused and left alone", async () => {
  const database = await Sqlite.open(folder);
  await database.run("INSERT INTO migrations VALUES (999)");
  await database.close();
  await expect(Sqlite.open(folder)).rejects.toThrow(/has version 999.*run a newer one/);
  writeFileSync(join(folder, "lemnis.db"), "this is no database, but it is long enough to look like one".repeat(50));
  await expect(Sqlite.open(folder)).rejects.toThrow(
    /lemnis.db is damaged .*not a database.*restore the volume from a backup/,
  );
});

test("a file with a damaged page is refused, also where nobody has asked for that page yet", async () => {
  const database = await Sqlite.open(folder);
  await database.transaction(async (queries) => {
    for (let job = 0; job < 500; job++)
      await queries.run("INSERT INTO runs VALUES ('a', ?, 'd', 't', ?)", `job-${job}`, "x".repeat(200));
  });
  await database.close();
  const path = join(folder, "lemnis.db");
  const bytes = readFileSync(path);
  const hurt = Buffer.from(bytes);
  hurt.fill(0xff, bytes.length - 4096 + 8, bytes.length - 4096 + 64);
  writeFileSync(path, hurt);
  await expect(Sqlite.open(folder)).rejects.toThrow(
    /lemnis.db is damaged .*malformed.*restore the volume from a backup/,
  );
  writeFileSync(path, bytes);
  await (await Sqlite.open(folder)).close();
});

test("writes reach the disk before they are acknowledged", async () => {
  const database = await Sqlite.open(folder);
  expect(await database.get("PRAGMA synchronous")).toEqual({ synchronous: 2 });
  expect(await database.get("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
  await database.close();
});

test("a database of the first release is brought up to date, and what is in it can be read", async () => {
  const database = await Sqlite.open(folder);
  // As the first migration left it.
  for (const sql of [
    "DROP TABLE dataset_parents",
    "ALTER TABLE datasets DROP COLUMN retain",
    "ALTER TABLE dataset_versions DROP COLUMN kept_until",
    "DELETE FROM migrations WHERE id > 1",
    `INSERT INTO dataset_versions VALUES ('a', 'wine', 1, 'sha256:0', '{"source":{"uri":"u","etag":"e"}}', '{}')`,
    "INSERT INTO datasets VALUES ('a', 'wine', 1, 1)",
  ])
    await database.run(sql);
  await database.close();
  const again = await Sqlite.open(folder);
  expect(await again.get("SELECT record, kept_until FROM dataset_versions")).toEqual({
    record: '{"source":{"uri":"u"}}',
    kept_until: 0,
  });
  expect(await again.get("SELECT current, retain FROM datasets")).toEqual({ current: 1, retain: 10 });
  await again.close();
});
