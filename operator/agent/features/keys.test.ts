import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Database, literal } from "../table/database.ts";
import { type KeyColumn, KeyError, keySql, readKey } from "./keys.ts";

const all: KeyColumn[] = [
  { name: "id", type: "Int64" },
  { name: "shop", type: "String" },
  { name: "vip", type: "Boolean" },
  { name: "day", type: "Date" },
];

test("a request's key is the text that SQL makes of the same values", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lemnis-keys-"));
  const database = await Database.open(folder, []);
  try {
    const shop = fc.string({ unit: "grapheme", maxLength: 8 }).filter((text) => !text.includes("\0"));
    const day = fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
    await fc.assert(
      fc.asyncProperty(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        shop,
        fc.boolean(),
        day,
        async (id, shop, vip, day) => {
          const date = day.toISOString().slice(0, 10);
          const cells = [`'${id}'::BIGINT`, `${literal(shop)}::VARCHAR`, `${vip}`, `DATE '${date}'`];
          const { key } = await database.row(`SELECT ${keySql(cells.map((cell) => `(${cell})`))} AS key`);
          expect(readKey(all, { day: date, vip, shop, id: `${id}` }, "keys[0]")).toBe(key);
        },
      ),
      { numRuns: 50 },
    );
  } finally {
    database.close();
    await rm(folder, { recursive: true });
  }
});

const columns: KeyColumn[] = [{ name: "id", type: "Int64" }];
const two: KeyColumn[] = [
  { name: "a", type: "String" },
  { name: "b", type: "String" },
];

test("two texts are never one key with another two", () => {
  const keys = [
    ["1", "2"],
    ["12", ""],
    ["", "12"],
    ["1:1", "2"],
    ["1", "1:2"],
    ["é", ""],
  ].map(([a, b]) => readKey(two, { a, b }, "k"));
  expect(new Set(keys).size).toBe(keys.length);
});

test.each([[7], ["7"], ["007"], [7.0], [-0], ["-0"], ["9223372036854775807"], [-9007199254740991]])(
  "an Int64 may be %j",
  (id) => {
    expect(readKey(columns, { id }, "k")).toBe(`${String(BigInt(id)).length}:${BigInt(id)}`);
  },
);

describe("refused, without telling the value:", () => {
  test.each<[KeyColumn["type"], unknown, RegExp]>([
    ["Int64", 1.5, /^keys\[3\]\.x: must be a whole number from -9223372036854775808 to 9223372036854775807/],
    ["Int64", 2 ** 53, /beyond 9007199254740991 as a string of its digits$/],
    ["Int64", "9223372036854775808", /whole number/],
    ["Int64", "seven", /whole number/],
    ["Int64", "", /whole number/],
    ["Int64", null, /whole number/],
    ["Int64", ["7"], /whole number/],
    ["String", 7, /x: must be a string/],
    ["Boolean", "yes", /x: must be true or false/],
    ["Date", "31.1.2026", /x: must be a date as in 2026-01-31/],
    ["Date", 20260131, /date/],
  ])("%s %j", (type, x, says) => {
    const read = () => readKey([{ name: "x", type }], { x }, "keys[3]");
    expect(read).toThrow(KeyError);
    expect(read).toThrow(says);
  });

  test.each<[unknown, RegExp]>([
    [7, /^keys\[0\]: must be an object with id$/],
    [null, /must be an object/],
    [[7], /must be an object/],
    [{}, /^keys\[0\]: id is missing; give id$/],
    [{ id: 7, shop: 1 }, /^keys\[0\]: shop is no key of this Dataset; give id$/],
    [JSON.parse('{"__proto__": 7}'), /__proto__ is no key/],
  ])("%j", (given, says) => {
    expect(() => readKey(columns, given, "keys[0]")).toThrow(says);
  });
});
