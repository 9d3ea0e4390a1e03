/** What can't be told is not kept, and values are compared as what they are. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openTestDatabase } from "../../../test/builders/database.ts";
import type { DatasetVersionDetail, ExpectationResult } from "../../store/api.ts";
import { profileTable } from "../table/profile.ts";
import { openRaw } from "../table/raw.ts";
import { makeTyped } from "../table/typed.ts";
import type { DeclaredColumn, ExpectationTask } from "../tasks.ts";
import { judge } from "./judge.ts";

const { folder, database } = await openTestDatabase();

type Asked = Omit<ExpectationTask, "name" | "onViolation">;
type Version = Pick<DatasetVersionDetail, "version" | "rows" | "columns" | "profile">;

/** Judges the column x of these values; `version` is what they would be as the current one. */
async function judged(
  values: readonly (number | string)[],
  asked: Asked,
  { declared = [], current }: { declared?: DeclaredColumn[]; current?: Version } = {},
): Promise<ExpectationResult & { current: Version }> {
  const local = join(folder, "x.csv");
  writeFileSync(local, `x\n${values.join("\n")}\n`);
  const files = [{ path: "x.csv", local }];
  const raw = await openRaw(database, { format: "CSV", files, folder });
  const columns = await makeTyped(database, raw, { declared, folder });
  const profiled = await profileTable(database, columns);
  const known = { current: current as DatasetVersionDetail | undefined, timeLimit: 60_000 };
  const table = { database, columns, profiled, files, ...known };
  const [result] = await judge([{ name: "e", onViolation: "Block", ...asked }], table);
  const { rows, profile } = profiled;
  const made = { version: 1, rows, profile, columns: columns.map((column) => ({ ...column, nullable: false })) };
  return { ...(result as ExpectationResult), current: made };
}

describe("drift from the current version that can't be told is not kept", () => {
  const numbers = Array.from({ length: 200 }, (_, row) => row);
  const psi: Asked = { column: "x", maxPsi: 0.1 };
  const secret: DeclaredColumn[] = [{ name: "x", sensitive: true }];

  test.each<[string, (number | string)[], string]>([
    ["text, for one value", ["n/a", ...numbers.slice(1)], "its type was Int64 and is String"],
    ["infinite", numbers.map(() => "inf"), "its values have no histogram: they are infinite, or too far apart"],
    [
      "as far apart as can be",
      numbers.map((row) => `${row % 2 ? "-" : ""}1.${row}e308`),
      "its values have no histogram: they are infinite, or too far apart",
    ],
  ])("because the values are %s", async (_, values, why) => {
    const { current } = await judged(numbers, psi);
    expect(await judged(values, psi, { current })).toMatchObject({
      passed: false,
      message: `column x: there is no PSI against version 1: ${why}`,
    });
  });

  test("because the column is sensitive, or was", async () => {
    const first = await judged(numbers, psi, { declared: secret });
    expect(first).toMatchObject({ passed: false, message: "column x is sensitive, and maxPsi compares its values" });
    expect(await judged(numbers, psi, { current: first.current })).toMatchObject({
      passed: false,
      message: "column x: there is no PSI against version 1: its values are withheld there",
    });
  });

  test("and one that can is", async () => {
    const { current } = await judged(numbers, psi);
    expect(await judged([...numbers, 0.5], psi, { current })).toMatchObject({ passed: true, message: "kept" });
    const { version, rows, profile, columns } = current;
    const without = { version, rows, profile: profile.slice(1), columns: columns.slice(1) };
    expect(await judged(numbers, psi, { current: without })).toMatchObject({ passed: true });
  });
});

describe("a set and a range", () => {
  test.each<[string, (number | string)[], Asked, string]>([
    ["an infinite value is in no set", [0, 1, "inf", 0.5], { in: [0, 1, "0.5"] }, '1 value is not in the set: "inf"'],
    ["an integer has all its digits", ["9007199254740992"], { in: ["9007199254740993"] }, "1 value is not in the set"],
    ["a fraction is no integer", [1, 2], { in: [0.5, "1.5", "1.0"] }, '1 value is not in the set: "2"'],
    [
      "a range is exact",
      ["9007199254740993"],
      { max: 2 ** 53 },
      '1 value is above 9007199254740992: "9007199254740993"',
    ],
    ["below, too", ["-9007199254740993"], { min: -(2 ** 53) }, "1 value is below -9007199254740992"],
  ])("broken: %s", async (_, values, asked, says) => {
    const { passed, message } = await judged(values, { column: "x", ...asked });
    expect([passed, message]).toEqual([false, expect.stringContaining(says)]);
  });

  test.each<[string, (number | string)[], Asked]>([
    ["infinity, where it is in it", [0, "inf"], { in: [0, "inf"] }],
    ["NaN and nulls are left out", [0.5, "nan", '""'], { in: [0.5], min: 0.5 }],
    ["integers however they are written", [1, 1000, "9007199254740993"], { in: ["1.0", "1e3", "9007199254740993"] }],
    ["a range whose ends are far out or fractions", [-5, 5], { min: -5.5, max: 1e300 }],
  ])("kept: %s", async (_, values, asked) => {
    const declared: DeclaredColumn[] = values.includes("nan") ? [{ name: "x", type: "Double" }] : [];
    expect(await judged(values, { column: "x", ...asked }, { declared })).toMatchObject({
      passed: true,
      message: "kept",
    });
  });
});
