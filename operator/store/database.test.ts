import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Database } from "./database.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lemnis-database-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what was written is there when the file is opened again, and migrations run once", () => {
  const first = new Database(folder);
  first.run("INSERT INTO models VALUES ('a', 'wine', 3)");
  first.close();
  const again = new Database(folder);
  expect(again.get("SELECT last_version FROM models")).toEqual({ last_version: 3 });
  again.close();
});

test("a transaction happens whole or not at all", () => {
  const database = new Database(folder);
  const broken = () =>
    database.transaction(() => {
      database.run("INSERT INTO models VALUES ('a', 'wine', 1)");
      throw new Error("crash");
    });
  expect(broken).toThrow("crash");
  expect(database.all("SELECT * FROM models")).toEqual([]);
  database.close();
});

test("a full disk, on which SQLite rolls back by itself, is told as such", () => {
  const database = new Database(folder);
  database.all("PRAGMA max_page_count = 1");
  const overflow = () =>
    database.transaction(() => database.run("INSERT INTO models VALUES ('a', ?, 1)", "x".repeat(1_000_000)));
  expect(overflow).toThrow("database or disk is full");
  expect(database.transaction(() => database.all("SELECT * FROM models"))).toEqual([]);
  database.close();
});

test("a file that is newer than this program, or none of ours, is refused and left alone", () => {
  const database = new Database(folder);
  database.run("INSERT INTO migrations VALUES (999)");
  database.close();
  expect(() => new Database(folder)).toThrow(/has version 999.*run a newer one/);
  writeFileSync(join(folder, "lemnis.db"), "this is no database, but it is long enough to look like one".repeat(50));
  expect(() => new Database(folder)).toThrow(/lemnis.db is damaged .*not a database.*restore the volume from a backup/);
});

test("a file with a damaged page is refused, also where nobody has asked for that page yet", () => {
  const database = new Database(folder);
  database.transaction(() => {
    for (let job = 0; job < 500; job++)
      database.run("INSERT INTO runs VALUES ('a', ?, 'd', 't', ?)", `job-${job}`, "x".repeat(200));
  });
  database.close();
  const path = join(folder, "lemnis.db");
  const bytes = readFileSync(path);
  const hurt = Buffer.from(bytes);
  hurt.fill(0xff, bytes.length - 4096 + 8, bytes.length - 4096 + 64);
  writeFileSync(path, hurt);
  expect(() => new Database(folder)).toThrow(/lemnis.db is damaged .*malformed.*restore the volume from a backup/);
  writeFileSync(path, bytes);
  new Database(folder).close();
});

test("writes reach the disk before they are acknowledged", () => {
  const database = new Database(folder);
  expect(database.get("PRAGMA synchronous")).toEqual({ synchronous: 2 });
  expect(database.get("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
  database.close();
});

test("a database of the first release is brought up to date, and what is in it can be read", () => {
  const database = new Database(folder);
  // As the first migration left it.
  for (const sql of [
    "DROP TABLE dataset_parents",
    "ALTER TABLE datasets DROP COLUMN retain",
    "ALTER TABLE dataset_versions DROP COLUMN kept_until",
    "DELETE FROM migrations WHERE id > 1",
    `INSERT INTO dataset_versions VALUES ('a', 'wine', 1, 'sha256:0', '{"source":{"uri":"u","etag":"e"}}', '{}')`,
    "INSERT INTO datasets VALUES ('a', 'wine', 1, 1)",
  ])
    database.run(sql);
  database.close();
  const again = new Database(folder);
  expect(again.get("SELECT record, kept_until FROM dataset_versions")).toEqual({
    record: '{"source":{"uri":"u"}}',
    kept_until: 0,
  });
  expect(again.get("SELECT current, retain FROM datasets")).toEqual({ current: 1, retain: 10 });
  again.close();
});
