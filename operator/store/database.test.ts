import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

test("a file that is newer than this program, or none of ours, is refused and left alone", () => {
  const database = new Database(folder);
  database.run("INSERT INTO migrations VALUES (999)");
  database.close();
  expect(() => new Database(folder)).toThrow(/has version 999.*run a newer one/);
  writeFileSync(join(folder, "lemnis.db"), "this is no database, but it is long enough to look like one".repeat(50));
  expect(() => new Database(folder)).toThrow(/not a database/);
});

test("writes reach the disk before they are acknowledged", () => {
  const database = new Database(folder);
  expect(database.get("PRAGMA synchronous")).toEqual({ synchronous: 2 });
  expect(database.get("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
  database.close();
});
