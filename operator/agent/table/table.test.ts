/** From a file's bytes to typed columns, in a real DuckDB. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeclaredColumn } from "../tasks.ts";
import { Database } from "./database.ts";
import { profileTable } from "./profile.ts";
import { type CsvOptions, openRaw, type TableFormat } from "./raw.ts";
import { makeTyped, type TypedColumn } from "./typed.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lemnis-table-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Options {
  format?: TableFormat;
  declared?: DeclaredColumn[];
  csv?: CsvOptions;
}

/** Reads a text as a source of this format; `use` gets the database with the table `cells`. */
async function read<T>(
  content: string | Uint8Array,
  { format = "CSV", declared = [], csv }: Options,
  use: (database: Database, columns: readonly TypedColumn[]) => Promise<T>,
): Promise<T> {
  const local = join(folder, "source");
  writeFileSync(local, content);
  const database = await Database.open(join(folder, "database"), [folder]);
  try {
    const raw = await openRaw(database, { format, files: [{ path: "data.csv", local }], csv, folder });
    return await use(database, await makeTyped(database, raw, { declared, folder }));
  } finally {
    database.close();
  }
}

const typesOf = (content: string, options: Parameters<typeof read>[1] = {}) =>
  read(content, options, async (_, columns) => Object.fromEntries(columns.map(({ name, type }) => [name, type])));
const rowsOf = (content: string | Uint8Array, options: Parameters<typeof read>[1] = {}) =>
  read(content, options, async (database, columns) => {
    const rows = await database.rows(
      `SELECT ${columns.map(({ cell, name }) => `${cell} AS "${name}"`).join(", ")} FROM cells`,
    );
    return rows.map((row) => Object.values(row).map((value) => (typeof value === "bigint" ? Number(value) : value)));
  });

describe("types are inferred from all values", () => {
  test.each([
    ["1\n-2\n", "Int64"],
    ["1\n2.5\n", "Double"],
    ["1e3\n2\n", "Double"],
    ["true\nfalse\n", "Boolean"],
    ["2026-03-01\n2026-12-31\n", "Date"],
    ["2026-03-01T10:00:00Z\n2026-03-01 11:00:00\n", "Timestamp"],
    ["1\nx\n", "String"],
    ['007\n""\n', "String"],
    ["\n\n", "String"],
  ])("%j is %s", async (values, type) => {
    const rows = values
      .split("\n")
      .slice(0, -1)
      .map((value) => `${value},1\n`)
      .join("");
    expect(await typesOf(`x,other\n${rows}`)).toMatchObject({ x: type });
  });
});

describe("CSV as people write it", () => {
  test.each<[string, string | Uint8Array, unknown[][]]>([
    [
      "quotes, separators and line ends inside",
      'a,b\n"x, y","say ""hi"""\n"two\nlines",z\n',
      [
        ["x, y", 'say "hi"'],
        ["two\nlines", "z"],
      ],
    ],
    [
      "Windows' line ends",
      "a,b\r\n1,2\r\n3,4\r\n",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["a byte order mark", Buffer.from("\ufeffa,b\n1,2\n"), [[1, 2]]],
    ["semicolons", "a;b\n1;x\n", [[1, "x"]]],
    ["tabs", "a\tb\n1\tx\n", [[1, "x"]]],
    ["no line end at the end", "a,b\n1,2", [[1, 2]]],
    [
      "empty cells",
      "a,b\n1,\n,x\n",
      [
        [1, null],
        [null, "x"],
      ],
    ],
    ["other alphabets", "name,n\nぶどう,1\n", [["ぶどう", 1]]],
  ])("%s", async (_, content, rows) => {
    expect(await rowsOf(content)).toEqual(rows);
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ["a row with too few cells", "a,b\n1,2\n3\n", /data\.csv, line 3: 1 columns where the header has 2/],
    ["a row with too many", "a,b\n1,2,3\n", /line 2: 3 columns where the header has 2/],
    ["a name twice", "a,a\n1,2\n", /two columns are named a/],
    ["names that differ by case", "a,A\n1,2\n", /differ only by case/],
    ["a name that the reader has for itself", "a,File_Index\n1,2\n", /File_Index is taken/],
    ["a column without a name", ",a\n0,1\n", /column 1 has no name.*index=False/],
    ["a quote that is not closed", 'a,b\n"1,2\n3,4\n', /line \d: a quote is not closed/],
    ["bytes that are no UTF-8", Buffer.from([0x61, 0x2c, 0x62, 0x0a, 0x31, 0x2c, 0xff, 0xfe, 0x0a]), /not valid UTF-8/],
  ])("is refused: %s", async (_, content, says) => {
    await expect(rowsOf(content)).rejects.toMatchObject({
      reason: "SourceInvalid",
      message: expect.stringMatching(says),
    });
  });
});

describe("a contract", () => {
  test("gives the types, and the label", async () => {
    const declared: DeclaredColumn[] = [
      { name: "id", type: "String" },
      { name: "y", role: "Label" },
    ];
    expect(await typesOf("id,y\n007,1\n", { declared })).toEqual({ id: "String", y: "Int64" });
  });

  test.each<[string, DeclaredColumn[], RegExp]>([
    [
      "a column that is missing",
      [{ name: "price" }],
      /the declared column is not in the data: price; the data has: id, y/,
    ],
    [
      "a value of another type",
      [{ name: "id", type: "Int64" }],
      /column id must be Int64, but 2 values are not: "x" \(data\.csv, row 2\), "z" \(data\.csv, row 3\)/,
    ],
  ])("is broken by %s", async (_, declared, says) => {
    await expect(typesOf("id,y\n1,1\nx,2\nz,3\n", { declared })).rejects.toMatchObject({
      reason: "SchemaViolation",
      message: expect.stringMatching(says),
    });
  });
});

describe("JSON lines", () => {
  test("have a column for each key, null where it is absent", async () => {
    expect(await rowsOf('{"a": 1, "b": "x"}\n{"a": 2.5}\n\n{"b": "y", "c": true}\n', { format: "JSONL" })).toEqual([
      [1, "x", null],
      [2.5, null, null],
      [null, "y", true],
    ]);
  });

  test.each([
    ["no JSON", '{"a": 1}\n{"a": \n', /data\.csv, line 2: not valid JSON/],
    ["no object", '{"a": 1}\n[2]\n', /line 2: not an object/],
  ])("are refused: %s", async (_, content, says) => {
    await expect(rowsOf(content, { format: "JSONL" })).rejects.toThrow(says);
  });
});

test("a Parquet file keeps its types, and one that is none is said so", async () => {
  const database = await Database.open(join(folder, "writer"), [folder]);
  const local = join(folder, "made.parquet");
  await database.run(
    `COPY (SELECT 1::INTEGER AS i, 1.5 AS d, DATE '2026-03-01' AS day, 'x' AS s) TO '${local}' (FORMAT parquet)`,
  );
  database.close();
  expect(
    await read(readFileSync(local), { format: "Parquet" }, async (_, columns) => columns.map(({ type }) => type)),
  ).toEqual(["Int64", "Double", "Date", "String"]);
  await expect(rowsOf("a,b\n1,2\n", { format: "Parquet" })).rejects.toMatchObject({ reason: "SourceInvalid" });
});

test("a profile has what the values are", async () => {
  const profile = await read(
    "x,s\n1,a\n2,b\n2,\n3,b\n4,b\n",
    {},
    async (database, columns) => (await profileTable(database, columns)).profile,
  );
  expect(profile[0]).toMatchObject({
    name: "x",
    type: "Int64",
    count: 5,
    nulls: 0,
    distinct: 4,
    min: 1,
    max: 4,
    mean: 2.4,
  });
  expect(profile[0]?.stddev).toBeCloseTo(1.140175, 6);
  expect(profile[0]?.quantiles).toMatchObject({ "0.25": 2, "0.5": 2, "0.75": 3 });
  expect(profile[0]?.histogram?.edges).toHaveLength(21);
  expect(profile[0]?.histogram?.counts.reduce((sum, count) => sum + count, 0)).toBe(5);
  expect(profile[1]).toMatchObject({
    name: "s",
    type: "String",
    nulls: 1,
    distinct: 2,
    topValues: [
      { value: "b", count: 3 },
      { value: "a", count: 1 },
    ],
  });
});

test.each([
  ["NaN counts as null", "nan", { nulls: 1, min: 1, max: 3, mean: 2, stddev: 1 }],
  ["infinite values count, and are left out of numbers", "inf", { nulls: 0, min: 1, max: 3, mean: 2, stddev: 1 }],
  ["negative infinite values too", "-inf", { nulls: 0, min: 1, max: 3, mean: 2, stddev: 1 }],
  ["a value without a square leaves no mean", "1e200", { nulls: 0, min: 1, max: 1e200 }],
  ["a value that alone fills a double", "1e308", { nulls: 0, min: 1, max: 1e308 }],
])("in a profile %s; the other columns are as they are without it", async (_, odd, expected) => {
  const of = (last: string, role: "x" | "y") =>
    read(
      `x,y,z\n1,1,2\n2,2,4\n3,3,6\n${last}\n`,
      { declared: declaredDoubles(role) },
      async (database, columns) => (await profileTable(database, columns)).profile,
    );
  const [x, y, z] = await of(`${odd},4,8`, "y");
  expect(x).toMatchObject({ count: 4, correlation: one, ...expected });
  if (!("mean" in expected)) expect(x).not.toHaveProperty("mean");
  expect(y).toMatchObject({ mean: 2.5, distinct: 4 });
  expect(z).toMatchObject({ mean: 5, max: 8, correlation: one });
  // A label that holds it says as little of the others.
  const [label, , other] = await of(`${odd},4,8`, "x");
  expect(label).toMatchObject({ count: 4, ...expected });
  expect(other).toMatchObject({ mean: 5, correlation: one });
});

const one = expect.closeTo(1, 9);

function declaredDoubles(label: string): DeclaredColumn[] {
  return ["x", "y", "z"].map((name) => ({ name, type: "Double", ...(name === label ? { role: "Label" } : {}) }));
}
