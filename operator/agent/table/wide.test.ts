/** A table of many columns is read in parts: each column is told as in a table of few. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openTestDatabase } from "../../../test/builders/database.ts";
import { profileTable } from "./profile.ts";
import { openRaw, type TableFormat } from "./raw.ts";
import { makeTyped } from "./typed.ts";

const { folder, database } = await openTestDatabase();

/** One of each type, and one without values. */
const values = [
  (row: number) => `${row * 7}`,
  (row: number) => (row % 5 === 0 ? "" : `${row / 4}`),
  (row: number) => `${row % 2 === 0}`,
  (row: number) => `2026-03-${String((row % 28) + 1).padStart(2, "0")}`,
  (row: number) => `2026-03-01 10:${String(row % 60).padStart(2, "0")}:00`,
  (row: number) => `kind ${row % 3}`,
  () => "",
];
const types = ["Int64", "Double", "Boolean", "Date", "Timestamp", "String", "String"];

/** The values again and again, the label last. */
function table(columns: number): string {
  const of = (cell: (column: number) => string) => Array.from({ length: columns }, (_, column) => cell(column));
  const rows = Array.from({ length: 50 }, (_, row) => [
    ...of((column) => values[column % values.length]?.(row) ?? ""),
    `${row % 4}`,
  ]);
  return `${[[...of((column) => `x${column}`), "y"], ...rows].map((cells) => cells.join(",")).join("\n")}\n`;
}

async function profileOf(columns: number, format: TableFormat) {
  const [csv, parquet] = [join(folder, "data.csv"), join(folder, "data.parquet")];
  writeFileSync(csv, table(columns));
  if (format === "Parquet") await database.run(`COPY (FROM read_csv('${csv}')) TO '${parquet}' (FORMAT parquet)`);
  const local = format === "Parquet" ? parquet : csv;
  const raw = await openRaw(database, { format, files: [{ path: "data", local }], folder });
  const typed = await makeTyped(database, raw, { declared: [{ name: "y", role: "Label" }], folder });
  return (await profileTable(database, typed)).profile;
}

test.each(["CSV", "Parquet"] as const)("a table of 600 columns of %s", async (format) => {
  const [few, many] = [await profileOf(values.length, format), await profileOf(600, format)];
  if (format === "CSV") expect(few.slice(0, -1).map(({ type }) => type)).toEqual(types);
  expect(few.slice(0, -1).every(({ count }) => count === 50)).toBe(true);
  expect(few[1]).toMatchObject({ nulls: 10, correlation: expect.any(Number), histogram: expect.anything() });
  expect(many).toHaveLength(601);
  expect(many.at(-1)).toEqual(few.at(-1));
  for (const [index, column] of many.slice(0, -1).entries())
    expect(column).toEqual({ ...few[index % values.length], name: `x${index}` });
});
