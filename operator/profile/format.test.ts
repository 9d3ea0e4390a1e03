import { expect, test } from "vitest";
import {
  formatBytes,
  formatChange,
  formatEdge,
  formatNumber,
  formatPair,
  formatShare,
  formatTime,
  plural,
} from "./format.ts";

test.each([
  [0, "0"],
  [178, "178"],
  [1234567, "1,234,567"],
  [12.987654, "12.99"],
  [1234.56, "1,234.6"],
  [123456.7, "123,457"],
  [0.000123456, "0.0001235"],
  [0.0000123, "1.23e-5"],
  [-2e15, "-2.00e15"],
  [Number.POSITIVE_INFINITY, "Infinity"],
])("the number %d is shown as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test.each([
  [0, "0%"],
  [0.00001, "<0.1%"],
  [0.0123, "1.2%"],
  [0.5, "50%"],
  [0.99999, ">99.9%"],
  [1, "100%"],
])("the share %d is shown as %s: nearly nothing is not nothing", (value, text) => {
  expect(formatShare(value)).toBe(text);
});

test("bytes, times, changes and counts", () => {
  expect([0, 1023, 1536, 5 * 2 ** 40].map(formatBytes)).toEqual(["0 B", "1020 B", "1.5 KiB", "5 TiB"]);
  expect([formatTime("2026-03-01T10:06:40.000Z"), formatTime("soon")]).toEqual(["2026-03-01 10:06 UTC", "soon"]);
  expect([formatChange(1.5), formatChange(-1), formatChange(0)]).toEqual(["+1.5", "-1", "0"]);
  expect([plural(1, "row"), plural(2000, "row")]).toEqual(["1 row", "2,000 rows"]);
  expect([formatPair("1", "2"), formatPair("1", "1"), formatPair(undefined, "1"), formatPair("1", undefined)]).toEqual([
    ...["1 → 2", "1", "1", "1"],
  ]);
});

test("edges of times are dates, with the time of day where they are near each other", () => {
  const at = Date.UTC(2026, 2, 1, 10, 6, 40) / 1000;
  expect(formatEdge(at, "Timestamp", 60)).toBe("2026-03-01T10:06:40");
  expect(formatEdge(at, "Timestamp", 1e6)).toBe("2026-03-01");
  expect(formatEdge(at, "Date", 60)).toBe("2026-03-01");
  expect(formatEdge(1e15, "Date", 60)).toBe("1.00e15");
  expect(formatEdge(1234.5, "Double", 60)).toBe("1,234.5");
});
