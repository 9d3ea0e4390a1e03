import fc from "fast-check";
import { expect, test } from "vitest";
import { maxRowBytes, RowIndex } from "./row-index.ts";

test("finds each row by its key, and no other", () => {
  // A lone surrogate is written as U+FFFD.
  const letter = fc.constantFrom("a", "b", "1", ":", "é", "€", "😀", "\u0000", "\ud800");
  const text = fc.array(letter, { maxLength: 6 }).map((letters) => letters.join(""));
  const rowsByKey = fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key.toWellFormed(), maxLength: 40 });
  const check = fc.property(rowsByKey, fc.array(text), (rows, others) => {
    const index = new RowIndex(rows.length);
    for (const [key, row] of rows) index.add(key, row);
    index.seal();
    const expected = new Map(rows.map(([key, row]) => [key.toWellFormed(), row.toWellFormed()]));
    const asked = [...expected.keys(), ...others];
    expect(asked.map((key) => index.find(key)?.toString())).toEqual(
      asked.map((key) => expected.get(key.toWellFormed())),
    );
    expect(index.size).toBe(rows.length);
  });
  fc.assert(check, { numRuns: 50 });
});

test("holds more rows than a segment, within the bytes that it says", () => {
  const rows = 200_000;
  const index = new RowIndex(rows);
  for (let row = 0; row < rows; row++) index.add(`1:${row}`, `{"id":${row}}`);
  index.seal();
  for (const row of [0, 65_535, 65_536, 131_071, 199_999])
    expect(index.find(`1:${row}`)?.toString()).toBe(`{"id":${row}}`);
  expect(index.find("1:200000")).toBeUndefined();
  expect(index.find("")).toBeUndefined();
  expect(index.find("x".repeat(maxRowBytes + 1))).toBeUndefined();
  const perRow = RowIndex.bytes(rows, 0) / rows;
  expect(perRow).toBeGreaterThan(11);
  expect(perRow).toBeLessThan(18);
});

test("is empty without rows", () => {
  const index = new RowIndex(0);
  index.seal();
  expect([index.size, index.find("1:1")]).toEqual([0, undefined]);
});
