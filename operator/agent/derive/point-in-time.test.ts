import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Database, identifier, literal } from "../table/database.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { Input } from "./inputs.ts";
import { joinPointInTime } from "./point-in-time.ts";

let folder: string;
let database: Database;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lemnis-join-"));
  database = await Database.open(folder, []);
});
afterAll(async () => {
  database.close();
  await rm(folder, { recursive: true });
});

type Role = TypedColumn["role"];
type Given = [name: string, type: TypedColumn["type"], role?: Role];

function input(name: string, columns: Given[]): Input {
  return {
    name,
    table: identifier(`input ${name}`),
    columns: columns.map(([name, type, role], index) => ({ name, type, cell: `c${index}`, ...(role ? { role } : {}) })),
    parent: { dataset: `the-${name}`, version: 1, digest: `sha256:${"0".repeat(64)}` },
  };
}

const sqlTypes = {
  Int64: "BIGINT",
  String: "VARCHAR",
  Timestamp: "TIMESTAMP",
  Date: "DATE",
  Double: "DOUBLE",
  Boolean: "BOOLEAN",
};

async function fill({ table, columns }: Input, rows: readonly (number | string | null)[][]): Promise<void> {
  const definitions = columns.map(({ cell, type }) => `${cell} ${sqlTypes[type]}`);
  await database.run(`CREATE OR REPLACE TABLE ${table} (${definitions.join(", ")})`);
  if (rows.length === 0) return;
  const values = rows.map(
    (row) => `(${row.map((value) => (value === null ? "NULL" : literal(`${value}`))).join(", ")})`,
  );
  await database.run(`INSERT INTO ${table} VALUES ${values.join(", ")}`);
}

async function joined(inputs: Input[], pointInTime: Parameters<typeof joinPointInTime>[1]): Promise<unknown[][]> {
  const { sql, columns } = joinPointInTime(inputs, pointInTime);
  const rows = await database.rows(`SELECT * FROM (${sql})`);
  return rows.map((row) => {
    expect(Object.keys(row)).toEqual(columns.map(({ name }) => name));
    return Object.values(row).map((value) => (typeof value === "bigint" ? Number(value) : value));
  });
}

const minute = 60_000;
const instantOf = (minutes: number | null) =>
  minutes === null ? null : new Date(Date.UTC(2026, 0, 1) + minutes * minute).toISOString().replace("Z", "");
const minutesOf = (value: unknown) => (value as Date).getTime() / minute - Date.UTC(2026, 0, 1) / minute;

interface Fact {
  customer: number | null;
  shop: string | null;
  /** Minutes; null: not known. */
  seen: number | null;
  value: number;
}

/** What the newest row knew, as anyone would write it. */
function known(
  row: Fact,
  facts: readonly Fact[],
  { keys, maxAge = Number.POSITIVE_INFINITY }: { keys: ("customer" | "shop")[]; maxAge?: number },
) {
  let newest: Fact | undefined;
  for (const fact of facts) {
    if (keys.some((key) => row[key] === null || fact[key] !== row[key])) continue;
    if (row.seen === null || fact.seen === null || fact.seen > row.seen || row.seen - fact.seen > maxAge) continue;
    if (!newest || fact.seen >= (newest.seen ?? 0)) newest = fact;
  }
  return newest;
}

const facts = fc.array(
  fc.record({
    customer: fc.option(fc.integer({ min: 0, max: 2 }), { freq: 8 }),
    shop: fc.option(fc.constantFrom("a", "b", "A"), { freq: 8 }),
    seen: fc.option(fc.integer({ min: 0, max: 12 }), { freq: 8 }),
    value: fc.integer({ min: 0, max: 1000 }),
  }),
  { maxLength: 20 },
);

test("each row gets what the reference finds for it, in the order of the rows, and none is lost", async () => {
  const rows = input("labels", [
    ["customer", "Int64", "Key"],
    ["shop", "String", "Key"],
    ["seen", "Timestamp", "Timestamp"],
    ["value", "Int64"],
  ]);
  const spending = input("spending", [
    ["value", "Int64"],
    ["seen", "Timestamp", "Timestamp"],
    ["customer", "Int64", "Key"],
  ]);
  const visits = input("visits", [
    ["seen", "Timestamp", "Timestamp"],
    ["shop", "String", "Key"],
    ["customer", "Int64", "Key"],
    ["visited", "Int64"],
  ]);
  const maxAges = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(facts, facts, facts, maxAges, async (labels, spent, visited, maxAge) => {
      await fill(
        rows,
        labels.map(({ customer, shop, seen, value }) => [customer, shop, instantOf(seen), value]),
      );
      await fill(
        spending,
        spent.map(({ customer, seen, value }) => [value, instantOf(seen), customer]),
      );
      await fill(
        visits,
        visited.map(({ customer, shop, seen, value }) => [instantOf(seen), shop, customer, value]),
      );
      const age = maxAge === undefined ? {} : { maxAge };
      const found = await joined([spending, rows, visits], {
        ...{ rows: "labels", features: ["spending", "visits"] },
        ...(maxAge === undefined ? {} : { maxAge: maxAge * minute }),
      });
      const plain = found.map((row) => row.map((value) => (value instanceof Date ? minutesOf(value) : value)));
      expect(plain).toEqual(
        labels.map((label) => {
          const spent1 = known(label, spent, { keys: ["customer"], ...age });
          const visit = known(label, visited, { keys: ["customer", "shop"], ...age });
          const { customer, shop, seen, value } = label;
          const first = [customer, shop, seen, value];
          return [...first, spent1?.value ?? null, spent1?.seen ?? null, visit?.seen ?? null, visit?.value ?? null];
        }),
      );
    }),
    { numRuns: 60 },
  );
});

const id: Given = ["id", "Int64", "Key"];
const seen: Given = ["seen", "Timestamp", "Timestamp"];
const labels = input("labels", [id, seen, ["amount", "Double"]]);

test("columns that come twice, and each feature's time, get the table's name before theirs", () => {
  const one = input("one", [id, ["day", "Date", "Timestamp"], ["Amount", "Double"], ["x", "Int64"]]);
  const two = input("two", [id, seen, ["x", "Int64"], ["y", "String"]]);
  const { columns } = joinPointInTime([labels, one, two], { rows: "labels", features: ["one", "two"] });
  expect(columns.map(({ name }) => name)).toEqual([
    "id",
    "seen",
    "amount",
    "one_day",
    "one_Amount",
    "one_x",
    "two_seen",
    "two_x",
    "y",
  ]);
  expect(columns.filter(({ role }) => role)).toEqual([
    { name: "id", role: "Key" },
    { name: "seen", role: "Timestamp" },
  ]);
});

test("a day counts from its first instant in UTC", async () => {
  const days = input("days", [id, ["day", "Date", "Timestamp"], ["x", "Int64"]]);
  await fill(labels, [
    [1, "2026-01-02 00:00:00", 1],
    [1, "2026-01-01 23:59:59.999999", 2],
  ]);
  await fill(days, [
    [1, "2026-01-01", 10],
    [1, "2026-01-02", 20],
  ]);
  const rows = await joined([labels, days], { rows: "labels", features: ["days"] });
  expect(rows.map((row) => row.at(-1))).toEqual([20, 10]);
});

describe("refused:", () => {
  const good: Given[] = [id, seen];
  test.each<[string, Given[], RegExp]>([
    [
      "a feature without a key",
      [["id", "Int64"], seen],
      /^transform.pointInTime: f: Dataset the-f has no column with the role Key/,
    ],
    [
      "a feature without a time",
      [id],
      /f: no column has the role Timestamp: give it to one in the schema.columns of Dataset the-f/,
    ],
    [
      "a time that is text",
      [id, ["seen", "String", "Timestamp"]],
      /f: the column seen has the role Timestamp and the type String/,
    ],
    [
      "a key that the rows have not",
      [...good, ["shop", "String", "Key"]],
      /f has the key shop, which is none of labels; its keys: id/,
    ],
    ["a key of another type", [["id", "String", "Key"], seen], /the key id is Int64 in labels, but String in f/],
    [
      "a name that would come twice",
      [...good, ["x", "Int64"], ["f_seen", "Int64"]],
      /two columns of joined would be named f_seen/,
    ],
  ])("%s", (_, columns, says) => {
    const refuse = () => joinPointInTime([labels, input("f", columns)], { rows: "labels", features: ["f"] });
    expect(refuse).toThrow(says);
  });

  test("a table named joined, and rows that are not in from", () => {
    const named = [labels, input("joined", good)];
    expect(() => joinPointInTime(named, { rows: "labels", features: ["joined"] })).toThrow(/name it otherwise/);
    expect(() => joinPointInTime([labels], { rows: "others", features: [] })).toThrow(/others is not in from/);
  });
});
