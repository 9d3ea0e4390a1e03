import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ColumnProfile } from "../store/api.ts";
import { columnDrift, stabilityIndex } from "./psi.ts";
import { rebin } from "./rebin.ts";

/** A profile of these numbers, as the agent makes it; NaN is null. */
function numbers(values: readonly number[], type: "Int64" | "Double" = "Double"): ColumnProfile {
  const known = values.filter((value) => !Number.isNaN(value));
  const base = { name: "x", type, count: values.length, nulls: values.length - known.length, distinct: 0 };
  if (known.length === 0) return base;
  const [min, max] = [Math.min(...known), Math.max(...known)];
  if (min === max) return { ...base, histogram: { edges: [min, max], counts: [known.length] } };
  const width = (max - min) / 20;
  const edges = Array.from({ length: 21 }, (_, bin) => (bin === 20 ? max : min + bin * width));
  const counts = new Array<number>(20).fill(0);
  for (const value of known) {
    const bin = Math.min(Math.floor((value - min) / width), 19);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { ...base, histogram: { edges, counts } };
}

function texts(counts: Record<string, number>, { unlisted = 0, nulls = 0 } = {}): ColumnProfile {
  const topValues = Object.entries(counts).map(([value, count]) => ({ value, count }));
  const count = topValues.reduce((sum, { count }) => sum + count, 0) + unlisted + nulls;
  return { name: "x", type: "String", count, nulls, distinct: topValues.length + unlisted, topValues };
}

const psi = (reference: ColumnProfile, current: ColumnProfile) => columnDrift(reference, current)?.psi;
const range = (count: number, of: (index: number) => number) => Array.from({ length: count }, (_, index) => of(index));
/** Evenly spread quantiles of a normal distribution, near enough (Lewis's logistic approximation). */
const normal = (count: number, mean: number, deviation: number) =>
  range(count, (index) => {
    const p = (index + 0.5) / count;
    return mean + (deviation * Math.log(p / (1 - p))) / 1.702;
  });

describe("the index", () => {
  test("is the sum of the formula: a worked example", () => {
    // (0.3 − 0.5) ln(0.3 / 0.5) + (0.7 − 0.5) ln(0.7 / 0.5)
    expect(stabilityIndex([50, 50], [30, 70])).toBeCloseTo(0.1694596, 6);
  });

  test("an empty bin counts as half a row, and as no less than 0.0001", () => {
    expect(stabilityIndex([10, 0], [5, 5])).toBeCloseTo(-0.5 * Math.log(0.5) + 0.45 * Math.log(10), 6);
    expect(stabilityIndex([1e9, 0], [5e8, 5e8])).toBeCloseTo(-0.5 * Math.log(0.5) + 0.4999 * Math.log(5000), 6);
  });

  const counts = fc.array(fc.nat(1000), { minLength: 3, maxLength: 3 });
  test("is never below 0, is 0 for the same shares, and is the same both ways", () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        expect(stabilityIndex(a, b)).toBeGreaterThanOrEqual(0);
        expect(stabilityIndex(a, b)).toBeCloseTo(stabilityIndex(b, a), 9);
        expect(stabilityIndex(a, a)).toBe(0);
      }),
    );
  });
});

describe("rebinning", () => {
  const value = fc.integer({ min: -1e9, max: 1e9 }).map((value) => value / 1000);
  test("keeps every row, whatever the edges, and changes nothing over its own", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), fc.array(value, { minLength: 1 }), fc.boolean(), (a, b, whole) => {
        const type = whole ? "Int64" : "Double";
        const rounded = (values: number[]) => (whole ? values.map(Math.round) : values);
        const [from, to] = [numbers(rounded(a), type).histogram, numbers(rounded(b), type).histogram];
        if (!from || !to) throw new Error("no histogram");
        const rows = rebin(from, { edges: to.edges, whole });
        expect(rows.reduce((sum, count) => sum + count, 0)).toBeCloseTo(a.length, 6);
        expect(rows.every((count) => count >= 0)).toBe(true);
        if (from.counts.length > 1) expect(rebin(from, { edges: from.edges, whole })).toEqual(from.counts);
      }),
    );
  });

  test("rows go to the bins that they overlap, those outside to the outermost ones", () => {
    const halves = { edges: [0, 10, 20], counts: [10, 30] };
    expect(rebin(halves, { edges: [0, 5, 15], whole: false })).toEqual([5, expect.closeTo(35)]);
    expect(rebin(halves, { edges: [100, 110, 120], whole: false })).toEqual([40, 0]);
    expect(rebin(halves, { edges: [-30, -20, -10], whole: false })).toEqual([0, 40]);
  });

  test("edges too near to be told apart lose no row", () => {
    expect(rebin({ edges: [1, 1, 2], counts: [3, 0] }, { edges: [0, 1, 2], whole: false })).toEqual([0, 3]);
    expect(rebin({ edges: [0.5, 0.9, 1], counts: [3, 0] }, { edges: [0, 0.7, 2], whole: true })).toEqual([
      expect.closeTo(1.5),
      expect.closeTo(1.5),
    ]);
  });

  test("integers are counted: 0 to 29 in bins of 1.45, over bins of 1.5, are where they were", () => {
    const [from, to] = [
      numbers(
        range(30, (i) => i),
        "Int64",
      ),
      numbers(
        range(31, (i) => i),
        "Int64",
      ),
    ];
    const rows = rebin(from.histogram ?? { edges: [], counts: [] }, { edges: to.histogram?.edges ?? [], whole: true });
    const expected = [...(to.histogram?.counts ?? [])];
    expected[19] = (expected[19] ?? 0) - 1;
    expect(rows.map((count) => Math.round(count * 100) / 100)).toEqual(expected);
  });
});

describe("a column's drift", () => {
  test("of numbers: none, little, much", () => {
    const reference = numbers(normal(10_000, 0, 1));
    expect(psi(reference, reference)).toBe(0);
    expect(psi(reference, numbers(normal(10_000, 0.02, 1)))).toBeLessThan(0.02);
    // Of two normal distributions a distance d apart, the divergence is d².
    expect(psi(reference, numbers(normal(10_000, 0.5, 1)))).toBeGreaterThan(0.15);
    expect(psi(reference, numbers(normal(10_000, 0.5, 1)))).toBeLessThan(0.3);
    expect(psi(reference, numbers(normal(10_000, 0, 3)))).toBeGreaterThan(0.25);
  });

  test("rows that come into a gap are seen, rows beyond the ends too", () => {
    const reference = numbers([...range(500, (i) => i / 500), ...range(500, (i) => 99 + i / 500)]);
    const gap = numbers([...range(500, (i) => i / 500), ...range(400, (i) => 50 + i / 500), ...range(100, () => 100)]);
    expect(psi(reference, gap)).toBeGreaterThan(0.25);
    expect(psi(reference, numbers(range(1000, (i) => 1000 + i)))).toBeGreaterThan(0.25);
  });

  test("a single value that becomes another is much", () => {
    const five = numbers(range(100, () => 5));
    expect(psi(five, numbers(range(80, () => 5)))).toBe(0);
    expect(psi(five, numbers(range(100, () => 6)))).toBeGreaterThan(1);
    expect(
      psi(
        numbers(
          range(9, () => 1),
          "Int64",
        ),
        numbers(
          range(9, () => 2),
          "Int64",
        ),
      ),
    ).toBeGreaterThan(1);
  });

  test("nulls are a bin of their own, where all are null too, and infinite numbers another", () => {
    const reference = numbers(range(100, (i) => i));
    const holes = numbers(range(100, (i) => (i % 2 ? Number.NaN : i)));
    expect(psi(reference, holes)).toBeGreaterThan(0.25);
    const nothing = numbers(range(100, () => Number.NaN));
    expect(psi(nothing, nothing)).toBe(0);
    expect(psi(reference, nothing)).toBeGreaterThan(1);
    expect(psi(nothing, reference)).toBeGreaterThan(1);
    expect(psi(reference, { ...reference, count: 150 })).toBeGreaterThan(0.25);
  });

  test("of text: by the most frequent values and all others", () => {
    expect(psi(texts({ a: 50, b: 50 }), texts({ a: 30, b: 70 }))).toBeCloseTo(0.1694596, 6);
    expect(psi(texts({ a: 50, b: 50 }), texts({ a: 500, b: 500 }))).toBe(0);
    expect(psi(texts({ a: 50, b: 50 }), texts({ c: 100 }))).toBeGreaterThan(1);
    expect(psi(texts({ a: 90 }, { nulls: 10 }), texts({ a: 10 }, { nulls: 90 }))).toBeGreaterThan(1);
  });

  test("a value that a full list is too short for is taken to be as it was", () => {
    const reference = texts({ a: 40, b: 11, c: 10 }, { unlisted: 39 });
    expect(psi(reference, texts({ a: 40, d: 11, b: 11 }, { unlisted: 38 }))).toBe(0);
    expect(psi(reference, texts({ a: 40, d: 30, b: 3 }, { unlisted: 27 }))).toBeGreaterThan(0.05);
  });

  test("integers of few kinds are compared value by value", () => {
    const classes = (counts: Record<string, number>) => ({ ...texts(counts), type: "Int64" as const });
    expect(psi(classes({ 1: 50, 2: 50 }), classes({ 1: 30, 2: 70 }))).toBeCloseTo(0.1694596, 6);
  });

  test("of dates: by days, and times by seconds", () => {
    const day = 86_400;
    const days = (count: number, from: number) => ({
      ...numbers(range(count, (i) => (from + i) * day)),
      type: "Date" as const,
    });
    expect(psi(days(30, 20_000), days(31, 20_000))).toBeLessThan(0.02);
    expect(psi(days(30, 20_000), days(30, 20_030))).toBeGreaterThan(1);
    expect(psi(days(30, 20_000), { ...days(30, 20_000), type: "Timestamp" })).toBeUndefined();
    const times = { ...days(300, 20_000), type: "Timestamp" as const };
    expect(psi(times, times)).toBe(0);
  });

  test("numbers of few kinds don't drift because one row has stretched the range", () => {
    const stars = (counts: Record<string, number>, max: number) => {
      const { topValues = [], ...rest } = { ...texts(counts), type: "Double" as const };
      const values = topValues.flatMap(({ value, count }) => range(count, () => Number(value)));
      expect(Math.max(...values)).toBe(max);
      return { ...rest, topValues, ...numbers(values) };
    };
    const before = stars({ "1.0": 200, "2.0": 300, "3.0": 300, "4.0": 200 }, 4);
    const after = stars({ "1.0": 200, "2.0": 300, "3.0": 300, "4.0": 199, "9.0": 1 }, 9);
    expect(psi(before, after)).toBeLessThan(0.01);
  });

  test("chance explains more of it the fewer the rows", () => {
    const of = (rows: number) =>
      columnDrift(numbers(range(rows, (i) => i)), numbers(range(rows, (i) => i)))?.chance ?? 0;
    expect(of(100)).toBeGreaterThan(0.25);
    expect(of(100_000)).toBeLessThan(0.001);
  });

  test("what cannot be compared has none: withheld values, another type, no rows", () => {
    const [number, text] = [numbers([1, 2, 3]), texts({ a: 1 })];
    const { histogram: _, ...withheld } = number;
    const { topValues: __, ...secret } = text;
    expect(columnDrift(withheld, withheld)).toBeUndefined();
    expect(columnDrift(secret, text)).toBeUndefined();
    expect(columnDrift(number, text)).toBeUndefined();
    expect(columnDrift({ ...number, count: 0 }, number)).toBeUndefined();
    expect(psi(numbers([1, 2, 3], "Int64"), numbers([1, 2, 3], "Double"))).toBeCloseTo(0, 6);
  });
});
