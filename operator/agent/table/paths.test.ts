/** A file is read by its very path, whatever its name or its folder's would mean to DuckDB. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { openTestDatabase } from "../../../test/builders/database.ts";
import { openRaw, type TableFormat } from "./raw.ts";
import { makeTyped } from "./typed.ts";
import { writeSplits } from "./write.ts";

const { folder, database } = await openTestDatabase();

const formats: TableFormat[] = ["CSV", "JSONL", "Parquet"];

/** Writes a file with one column `a` and one row. */
async function write(format: TableFormat, path: string, value: number): Promise<string> {
  const local = join(folder, format, path);
  mkdirSync(dirname(local), { recursive: true });
  if (format === "CSV") writeFileSync(local, `a\n${value}\n`);
  else if (format === "JSONL") writeFileSync(local, `{"a": ${value}}\n`);
  else await database.run(`COPY (SELECT ${value} AS a) TO '${local}' (FORMAT parquet)`);
  return local;
}

async function open(format: TableFormat, locals: readonly string[]) {
  const files = locals.map((local) => ({ path: relative(join(folder, format), local), local }));
  const raw = await openRaw(database, { format, files, folder });
  const splits = { shares: [{ name: "all", percent: 100 }], seed: 0 };
  const typed = await makeTyped(database, raw, { declared: [], splits, folder });
  const rows = await database.rows("SELECT * EXCLUDE (file, row), file FROM cells ORDER BY file, row");
  const written = await writeSplits(database, { raw, typed, splits, folder: join(folder, format, "splits") });
  return { names: raw.columns.map(({ name }) => name), values: rows.map(({ c0 }) => Number(c0)), written };
}

describe.each(formats)("%s", (format) => {
  test("characters of a pattern stand for themselves, in names of files and of folders", async () => {
    const odd = ["data[1]", "d*", "d?", "d[!a]", "**", "[ab]/x", "*/x"];
    const locals: string[] = [];
    for (const [index, path] of odd.entries()) locals.push(await write(format, path, index));
    for (const path of ["data1", "da", "db", "a/x", "b/x"]) await write(format, path, 99);
    const { values, written } = await open(format, locals);
    expect(values).toEqual(odd.map((_, index) => index));
    expect(written.map(({ rows }) => rows)).toEqual(odd.map(() => 1));
    if (format !== "Parquet") {
      for (const [index, { local }] of written.entries()) {
        expect(readFileSync(local)).toEqual(readFileSync(locals[index] as string));
      }
    }
  });

  test.each(["a=7", "day=2026-01-01", "c0=5", "json=1"])("a folder that is named %s gives no values", async (name) => {
    const locals = [await write(format, `${name}/x`, 1), await write(format, `${name}/y/z`, 2)];
    expect(await open(format, locals)).toMatchObject({ names: ["a"], values: [1, 2] });
  });
});
