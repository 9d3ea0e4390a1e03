import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ColumnInput, versionDetail } from "../../../test/builders/profile.ts";
import { compareVersions } from "../compare.ts";
import { renderDiff } from "./diff.ts";
import { renderProfile, sparkline } from "./profile.ts";
import { tableLines } from "./table.ts";
import { clip, harmless, widthOf } from "./text.ts";

const plain = { width: 120, color: false };
const subject = { dataset: "wine", namespace: "team-a", current: 2 };
const range = (count: number, of: (index: number) => number | null) => Array.from({ length: count }, (_, i) => of(i));

describe("text", () => {
  test.each([
    ["plain", 5],
    ["é", 1],
    ["e\u0301", 1],
    ["日本", 4],
    ["👩‍🔬", 2],
    ["", 0],
  ])("%j takes %d columns", (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  test("is clipped by columns, never within a character", () => {
    expect(clip("abcdef", 4)).toBe("abc…");
    expect(clip("日本語", 4)).toBe("日…");
    expect(clip("日本", 4)).toBe("日本");
  });

  test("that would steer the terminal is shown as what it is", () => {
    expect(harmless("a\u001b[2Jb\r\n\u202ec\u0007\u009b")).toBe("a\\u{1b}[2Jb\\u{d}\\u{a}\\u{202e}c\\u{7}\\u{9b}");
  });
});

test("bins are as high as their share; what is not empty is seen", () => {
  expect(sparkline([0, 0.001, 0.5, 1])).toBe(" ▁▅█");
});

describe("a table", () => {
  const columns = [{ title: "A", most: 5 }, { title: "B", right: true, spare: 1 }, { title: "C" }, { title: "D" }];
  const rows = [
    [{ text: "日本語" }, { text: "1" }, { text: "" }, { text: "x", ink: "red" as const }],
    [{ text: "b" }, { text: "22" }, { text: "" }, { text: "yy" }],
  ];

  test("is aligned by columns of the terminal, without columns that are empty", () => {
    expect(tableLines(columns, rows, plain)).toEqual(["A       B  D", "日本…   1  x", "b      22  yy"]);
  });

  test("leaves out what it can spare where it is narrow, and colours only where it may", () => {
    expect(tableLines(columns, rows, { width: 9, color: false })[0]).toBe("A      D");
    expect(tableLines(columns, rows, { width: 99, color: true })[1]).toContain("\u001b[31mx\u001b[0m");
  });
});

const values = { values: range(200, (i) => i), correlation: -0.5 };
const table: Record<string, ColumnInput> = {
  ...{ alcohol: values, holes: { values: range(200, (i) => (i % 4 ? null : 5)) } },
  colour: { type: "String", values: Array.from({ length: 200 }, (_, i) => (i % 4 ? "red" : "white")) },
  mail: { type: "String", sensitive: true, values: ["secret@example.com"] },
  class: { type: "Int64", role: "Label", values: range(200, (i) => i % 2) },
};

test("a profile tells what the version is and what is in each column", () => {
  const text = renderProfile(
    subject,
    versionDetail(2, table, {
      source: { uri: "s3://cellar/wine.csv" },
      parents: [{ dataset: "raw", version: 7, digest: `sha256:${"0".repeat(64)}` }],
      splits: { train: 160, test: 40 },
      expectations: [{ name: "enough", passed: false, message: "200 rows, fewer than 300" }],
      missing: [{ columns: ["holes"], rows: 150 }],
    }),
    plain,
  );
  const lines = [
    ...["team-a/wine version 2 (current)", "200 rows · 5 columns", "s3://cellar/wine.csv", "raw version 7"],
    ...["train 160 · test 40", "✗ enough: 200 rows, fewer than 300", "████████████████████", "red 75% · white 25%"],
    ...["values withheld", "CORRELATION WITH class", "-0.50", "NULL TOGETHER", "75%"],
  ];
  for (const line of lines) expect(text).toContain(line);
  expect(text).not.toContain("secret");
  expect(text).not.toContain("\u001b");
});

test("a comparison tells what has changed, and both shapes over one range", () => {
  const before = versionDetail(1, table);
  const after = versionDetail(2, { ...table, alcohol: { values: range(100, (i) => i + 150) } });
  const text = renderDiff(subject, compareVersions(before, after), { width: 160, color: false });
  expect(text).toMatch(/^team-a\/wine version 1 → 2\n/);
  expect(text).toContain("1 column drifted much, 0 moderately; 0 added, 0 removed, 0 retyped");
  expect(text).toMatch(/alcohol +much +[\d.]+ .*\+100/);
  expect(text).toMatch(/mail .*values withheld +values withheld/);
  expect(renderDiff(subject, compareVersions(before, before), plain)).toContain("nothing has changed");
});

test("whatever columns and values are called, no command reaches the terminal and every line is one", () => {
  // One in two is a control character or a Latin one.
  const code = fc.oneof(fc.integer({ min: 0, max: 0xff }), fc.integer({ min: 0, max: 0x10ffff }));
  const character = code.map((code) => String.fromCodePoint(code));
  const name = fc.string({ unit: character, minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(name, name, (column, value) => {
      const input = { [column]: { type: "String" as const, values: [value, value, null] } };
      const version = versionDetail(2, input, {
        source: { uri: value },
        expectations: [{ name: column, passed: true, message: value }],
        missing: [{ columns: [column], rows: 1 }],
      });
      const shown = [
        renderProfile(subject, version, plain),
        renderDiff(subject, compareVersions(versionDetail(1, input), version), plain),
      ];
      for (const text of shown) expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}|\p{Cf}|\u2028|\u2029/u);
      expect(shown[0]?.split("\n")).toHaveLength(11);
    }),
    { numRuns: 40 },
  );
});
