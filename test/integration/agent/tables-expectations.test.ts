/** Contracts and expectations: each kept and broken, in words that name file and row. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeclaredColumn, ExpectationTask } from "../../../operator/agent/tasks.ts";
import { namespace, snapshotTask, startWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const csv = "id,kind,score,at\n1,a,0.5,2026-03-01\n2,b,7.5,2026-03-02\n2,c,,2026-03-03\n";
type Asked = Omit<ExpectationTask, "name" | "onViolation">;

const run = (asked: Asked, { columns = [] as DeclaredColumn[], onViolation = "Block" as "Block" | "Warn" } = {}) =>
  world.run(snapshotTask("wine.csv", { columns, expectations: [{ name: "e", onViolation, ...asked }] }));
const time: DeclaredColumn[] = [{ name: "at", role: "Timestamp" }];

describe("an expectation that is kept", () => {
  test.each<[string, Asked, DeclaredColumn[]?]>([
    ["a range", { column: "score", min: 0.5, max: 7.5 }],
    ["a set, as text or number", { column: "id", in: [1, "2"] }],
    ["a set of doubles", { column: "score", in: ["0.50", 7.5] }],
    ["a pattern", { column: "kind", pattern: "[a-c]" }],
    ["few nulls", { column: "score", maxNulls: 0.34 }],
    ["values that come once", { column: "kind", unique: true }],
    ["rows", { rows: { min: 3, max: 3, maxDecrease: 0 } }],
    ["drift, without a version", { column: "score", maxPsi: 0 }],
    ["freshness", { freshness: { maxAge: 1e13 } }, time],
    ["SQL", { sql: "SELECT count(*) FROM data WHERE score IS NULL", equals: 1 }],
    ["SQL with WITH", { sql: "WITH x AS (SELECT max(score) AS m FROM data) SELECT m FROM x -- the greatest", max: 8 }],
  ])("%s", async (_, asked, columns) => {
    await world.source("wine.csv", csv);
    const { code } = await run(asked, columns ? { columns } : {});
    expect(code).toBe(0);
    const { expectations } = await world.store.getDatasetVersion(namespace, "wine", "1");
    expect(expectations).toEqual([{ name: "e", passed: true, message: "kept" }]);
  });
});

describe("an expectation that is broken makes no version, and says why", () => {
  test.each<[string, Asked, RegExp, DeclaredColumn[]?]>([
    ["below", { column: "score", min: 1 }, /^e: column score: 1 value is below 1: "0\.5" \(wine\.csv, row 1\)$/],
    ["above", { column: "score", max: 1 }, /1 value is above 1: "7\.5" \(wine\.csv, row 2\)/],
    ["a range of text", { column: "kind", max: 1 }, /column kind is String, and min and max are for numbers/],
    [
      "a set",
      { column: "kind", in: ["a"] },
      /2 values are not in the set: "b" \(wine\.csv, row 2\), "c" \(wine\.csv, row 3\)/,
    ],
    ["a pattern", { column: "kind", pattern: "[ab]" }, /1 value is not of the pattern: "c"/],
    ["no pattern", { column: "kind", pattern: "[a" }, /column kind: Invalid Input Error: missing \]/],
    ["nulls", { column: "score", maxNulls: 0.3 }, /33\.33 % are null, more than 30 %/],
    [
      "values twice",
      { column: "id", unique: true },
      /column id: 1 value comes more than once: "2" \(wine\.csv, row 2\)/,
    ],
    ["a column that is not there", { column: "none", unique: true }, /there is no column none/],
    ["rows", { rows: { min: 4 } }, /3 rows are fewer than 4/],
    ["too many rows", { rows: { max: 2 } }, /3 rows are more than 2/],
    [
      "old rows",
      { freshness: { maxAge: 3_600_000 } },
      /the newest row is of 2026-03-03T.* old, more than 1\.0 h/,
      time,
    ],
    ["SQL", { sql: "SELECT count(*) FROM data", equals: 4 }, /sql returned 3, not 4/],
    ["SQL for no number", { sql: "SELECT 'x'", equals: 4 }, /sql must return a number/],
    ["SQL for rows", { sql: "SELECT id FROM data", equals: 4 }, /must return one number, not 2 rows of 1 columns/],
  ])("%s", async (_, asked, says, columns) => {
    await world.source("wine.csv", csv);
    const { code, message } = await run(asked, columns ? { columns } : {});
    expect([code, message]).toEqual([3, { reason: "ExpectationFailed", message: expect.stringMatching(says) }]);
    expect((await world.store.dataset(namespace, "wine")).versions).toEqual([]);
  });

  test("all that are broken are told, unless they only warn", async () => {
    await world.source("wine.csv", csv);
    const expectations: ExpectationTask[] = [
      { name: "low", column: "score", min: 1, onViolation: "Block" },
      { name: "few", rows: { min: 9 }, onViolation: "Block" },
      { name: "odd", rows: { min: 8 }, onViolation: "Warn" },
    ];
    const { message } = await world.run(snapshotTask("wine.csv", { expectations }));
    expect(message.message).toMatch(/^low: .*; few: 3 rows/);
    expect(message.message).not.toContain("odd");
  });

  test("Warn makes one, and the version says so", async () => {
    await world.source("wine.csv", csv);
    const { code, log } = await run({ rows: { min: 4 } }, { onViolation: "Warn" });
    expect(code).toBe(0);
    const { expectations } = await world.store.getDatasetVersion(namespace, "wine", "1");
    expect(expectations).toEqual([{ name: "e", passed: false, message: "3 rows are fewer than 4" }]);
    expect(log).toContain("3 rows are fewer than 4");
  });
});

describe("against the current version", () => {
  const rows = (count: number, value: (row: number) => number) =>
    `id,score\n${Array.from({ length: count }, (_, row) => `${row},${value(row)}\n`).join("")}`;

  test("rows that are lacking", async () => {
    await world.source(
      "wine.csv",
      rows(100, (row) => row),
    );
    expect((await run({ rows: { maxDecrease: 0.2 } })).code).toBe(0);
    await world.source(
      "wine.csv",
      rows(79, (row) => row),
    );
    const { message } = await run({ rows: { maxDecrease: 0.2 } });
    expect(message.message).toMatch(/79 rows are 21 % fewer than the 100 of version 1; at most 20 %/);
    expect((await world.store.dataset(namespace, "wine")).current).toBe(1);
  });

  test("drift", async () => {
    await world.source(
      "wine.csv",
      rows(1000, (row) => (row % 100) + 0.5),
    );
    expect((await run({ column: "score", maxPsi: 0.1 })).code).toBe(0);
    await world.source(
      "wine.csv",
      rows(1100, (row) => (row % 100) + 0.5),
    );
    expect((await run({ column: "score", maxPsi: 0.1 })).code).toBe(0);
    await world.source(
      "wine.csv",
      rows(1000, (row) => 80 + (row % 40) / 2 + 0.25),
    );
    const { message } = await run({ column: "score", maxPsi: 0.1 });
    expect(message).toMatchObject({
      reason: "ExpectationFailed",
      message: expect.stringMatching(/PSI against version 2 is \d/),
    });
  });
});

describe("SQL reaches nothing but the data", () => {
  test.each([
    "SELECT count(*) FROM read_csv('/etc/passwd')",
    "SELECT count(*) FROM '/etc/passwd'",
    "SELECT length(content) FROM read_text('/etc/passwd')",
    "ATTACH '/tmp/x.db'; SELECT 1",
    "SELECT 1; SELECT 2",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 1",
    "PRAGMA database_list",
    "COPY data TO '/tmp/x'",
    "CREATE TABLE x AS SELECT 1",
    "SELECT count(*) FROM duckdb_settings()",
    "SELECT count(*) FROM information_schema.tables",
    "SELECT count(*) FROM cells",
    "SELECT 1) FROM data; DROP VIEW data; SELECT (1",
  ])("%s", async (sql) => {
    await world.source("wine.csv", csv);
    const { message } = await run({ sql, min: 0 });
    expect(message.reason).toBe("ExpectationFailed");
    expect(message.message).not.toMatch(/root:/);
  });
});

describe("a contract", () => {
  test.each<[string, DeclaredColumn[], string, RegExp]>([
    [
      "types",
      [{ name: "id", type: "Int64" }],
      "id\n1\nx\ny\nz\nzz\n",
      /column id must be Int64, but 4 values are not: "x" \(wine\.csv, row 2\), "y" \(wine\.csv, row 3\), "z" \(wine\.csv, row 4\)$/,
    ],
    [
      "types beyond the sample",
      [{ name: "id", type: "Int64" }],
      `id\n${"1\n".repeat(20_000)}x\n`,
      /"x" \(wine\.csv, row 20001\)/,
    ],
    [
      "no nulls",
      [{ name: "id", nullable: false }],
      "id,x\n1,1\n,2\n,3\n",
      /column id must not be null, but 2 rows have no value: wine\.csv, row 2, wine\.csv, row 3/,
    ],
    [
      "a time that is none",
      [{ name: "id", role: "Timestamp" }],
      "id\nx\n",
      /has the role Timestamp, but holds String: it must be Timestamp or Date/,
    ],
    ["a weight that is none", [{ name: "id", role: "Weight" }], "id\nx\n", /must be Double or Int64/],
    [
      "sensitive values",
      [{ name: "id", type: "Int64", sensitive: true }],
      "id\nsecret\n",
      /1 value is not: wine\.csv, row 1$/,
    ],
  ])("%s", async (_, columns, content, says) => {
    await world.source("wine.csv", content);
    const { code, message, log } = await world.run(snapshotTask("wine.csv", { columns }));
    expect([code, message]).toEqual([3, { reason: "SchemaViolation", message: expect.stringMatching(says) }]);
    expect(log + message.message).not.toContain("secret");
  });

  test("types that the first rows only seem to have are inferred from all", async () => {
    await world.source("wine.csv", `a,b,c\n${"1,,2026-03-01\n".repeat(11_000)}x,5,2026-03-01\n`);
    expect((await world.run(snapshotTask("wine.csv"))).code).toBe(0);
    const { columns } = await world.store.getDatasetVersion(namespace, "wine", "1");
    expect(columns.map(({ type }) => type)).toEqual(["String", "Int64", "Date"]);
  });
});

test("a sensitive column's values are in no message of an expectation", async () => {
  await world.source("wine.csv", "id,email\n1,secret@x\n2,secret@x\n3,secret2@x\n");
  const columns: DeclaredColumn[] = [{ name: "email", sensitive: true }];
  const checks: Asked[] = [
    { column: "email", unique: true },
    { column: "email", in: ["a"] },
    { column: "email", pattern: "x" },
    { sql: "SELECT max(email)::INTEGER FROM data", equals: 1 },
    {
      sql: "SELECT timezone(max(email), now) FROM (SELECT email, TIMESTAMP '2026-01-01' AS now FROM data) GROUP BY now",
      equals: 1,
    },
  ];
  for (const asked of checks) {
    const { message, log } = await run(asked, { columns });
    expect(message.reason).toBe("ExpectationFailed");
    expect(log + message.message).not.toContain("secret");
  }
  // What DuckDB says of the SQL itself is told all the same.
  const { message } = await run({ sql: "SELECT count(mail) FROM data", equals: 1 }, { columns });
  expect(message.message).toContain('"mail" not found');
});

test("the newest time of a sensitive column is told nowhere, and can't be asked for", async () => {
  await world.source("wine.csv", csv);
  const columns: DeclaredColumn[] = [{ name: "at", role: "Timestamp", sensitive: true }];
  const { message, log } = await run({ freshness: { maxAge: 1e13 } }, { columns, onViolation: "Warn" });
  expect(message).toMatchObject({ version: 1 });
  const version = await world.store.getDatasetVersion(namespace, "wine", "1");
  expect(version.expectations?.[0]?.message).toMatch(/^the column at is sensitive: how fresh/);
  expect(log + JSON.stringify(version)).not.toMatch(/2026-03-0[123]/);
});
