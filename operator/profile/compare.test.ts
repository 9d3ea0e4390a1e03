import { describe, expect, test } from "vitest";
import { type ColumnInput, versionDetail } from "../../test/builders/profile.ts";
import { compareVersions, verdictOf } from "./compare.ts";

const range = (count: number, of: (index: number) => number | null) => Array.from({ length: count }, (_, i) => of(i));
const compare = (before: Record<string, ColumnInput>, after: Record<string, ColumnInput>) =>
  compareVersions(versionDetail(1, before), versionDetail(2, after)).columns;

test("columns that came, went or have another type come first, then those that drifted the most", () => {
  const same = { values: range(1000, (i) => i) };
  const columns = compare(
    { same, moved: same, shifted: same, gone: same, text: { type: "String", values: ["1", "2"] } },
    {
      ...{ same, moved: { values: range(1000, (i) => i + 800) }, shifted: { values: range(1000, (i) => i + 200) } },
      ...{ come: same, text: { type: "Int64", values: [1, 2] } },
    },
  );
  expect(columns.map(({ name, change, drift }) => [name, change, drift?.verdict])).toEqual([
    ["come", "Added", undefined],
    ["text", "Retyped", undefined],
    ["gone", "Removed", undefined],
    ["moved", "Kept", "much"],
    ["shifted", "Kept", "much"],
    ["same", "Kept", "little"],
  ]);
});

test("differences are later minus earlier", () => {
  const [column] = compare(
    { x: { values: range(100, (i) => i) } },
    { x: { values: range(100, (i) => (i < 10 ? null : i + 5)) } },
  );
  expect(column?.deltas).toMatchObject({ nulls: 0.1, distinct: -10, mean: expect.closeTo(10) });
  expect(column?.deltas.quantiles).toMatchObject({ "0.5": expect.any(Number), "0.99": expect.any(Number) });
});

describe("the verdict", () => {
  test.each([
    [0.0999, "little"],
    [0.1, "moderate"],
    [0.2499, "moderate"],
    [0.25, "much"],
  ] as const)("of %d is %s", (psi, verdict) => {
    expect(verdictOf({ psi, chance: 0 })).toBe(verdict);
  });

  test("of what chance gives with so few rows is little", () => {
    expect(verdictOf({ psi: 0.4, chance: 0.41 })).toBe("little");
  });
});

test("a column that is sensitive in either version has no value in the comparison, and its counts", () => {
  const secret = { type: "Int64" as const, values: range(10, () => 424242) };
  for (const [before, after] of [
    [{ ...secret, sensitive: true as const }, secret],
    [secret, { ...secret, sensitive: true as const }],
  ] as const) {
    const columns = compare({ pin: before }, { pin: after });
    expect(JSON.stringify(columns)).not.toContain("424242");
    expect(columns[0]).toMatchObject({ withheld: true, before: { count: 10, nulls: 0 }, deltas: { nulls: 0 } });
    expect(columns[0]?.drift).toBeUndefined();
  }
});

test("keys and times are new by design, and are not compared", () => {
  const id = (from: number) => ({ type: "Int64" as const, role: "Key" as const, values: range(99, (i) => from + i) });
  expect(compare({ id: id(0) }, { id: id(99) })[0]?.drift).toBeUndefined();
});

test("a Dataset without a table, and one without rows, are compared too", () => {
  expect(compare({}, {})).toEqual([]);
  expect(compare({ x: { values: [] } }, { x: { values: [1] } })[0]).toMatchObject({
    change: "Kept",
    deltas: { nulls: 0 },
  });
});
