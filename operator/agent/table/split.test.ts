/** Which split a row is in, by real DuckDB, and that its bytes get there unchanged. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openTestDatabase } from "../../../test/builders/database.ts";
import type { DeclaredColumn, SplitRule } from "../tasks.ts";
import { Database } from "./database.ts";
import { type CsvOptions, openRaw, type TableFormat } from "./raw.ts";
import { pathSplit } from "./split.ts";
import { makeTyped } from "./typed.ts";
import { writeSplits } from "./write.ts";

const { folder, database } = await openTestDatabase();

const shares = [
  { name: "train", percent: 80 },
  { name: "test", percent: 20 },
];
const time: DeclaredColumn = { name: "at", role: "Timestamp" };

/** The written files' contents by path. */
async function split(
  files: Record<string, string>,
  splits: SplitRule,
  { format = "CSV", declared = [], csv }: { format?: TableFormat; declared?: DeclaredColumn[]; csv?: CsvOptions } = {},
): Promise<Record<string, string>> {
  const locals = Object.keys(files).map((path) => ({ path, local: join(folder, path) }));
  for (const { path, local } of locals) writeFileSync(local, files[path] ?? "");
  const raw = await openRaw(database, { format, files: locals, csv, folder });
  const typed = await makeTyped(database, raw, { declared, splits, folder });
  const written = await writeSplits(database, { raw, typed, splits, folder: join(folder, "splits") });
  return Object.fromEntries(written.map(({ path, local }) => [path, readFileSync(local, "utf8")]));
}

/** The split of each row of one file. */
async function splitsOf(header: string, rows: readonly string[], rule: SplitRule, declared: DeclaredColumn[] = []) {
  const written = await split({ "a.csv": `${header}\n${rows.map((row) => `${row}\n`).join("")}` }, rule, { declared });
  const found = new Map<string, string>();
  for (const [path, content] of Object.entries(written)) {
    for (const row of content.split("\n").slice(1, -1)) found.set(row, path.split("/")[0] ?? "");
  }
  return found;
}

test("a row's split is the md5 of its seed and cells by name, as a percentage: versions keep theirs", async () => {
  const rows = Array.from({ length: 50 }, (_, index) => `${index},v${index % 7}`);
  const found = await splitsOf("b,a", rows, { shares, seed: 3 });
  for (const row of rows) {
    const [b, a] = row.split(",");
    const hash = createHash("md5").update(`3\u001ea\u001f${a}\u001eb\u001f${b}\u001e`).digest().readUInt32BE(0);
    expect(found.get(row)).toBe((hash / 2 ** 32) * 100 < 80 ? "train" : "test");
  }
});

test("shares are kept within chance", async () => {
  const rows = Array.from({ length: 2000 }, (_, index) => `${index},a`);
  const held = [...(await splitsOf("x,y", rows, { shares, seed: 0 })).values()].filter((name) => name === "test");
  expect(held.length / rows.length).toBeGreaterThan(0.17);
  expect(held.length / rows.length).toBeLessThan(0.23);
});

const rules: Record<string, SplitRule> = {
  "the whole row": { shares, seed: 1 },
  "a column": { shares, seed: 1, by: "group" },
  time: {
    times: [
      { name: "train" },
      { name: "validation", from: "2026-03-10" },
      { name: "test", from: "2026-03-20T12:00:00Z" },
    ],
  },
};

describe.each(Object.entries(rules))("by %s", (_, rule) => {
  const row = fc
    .record({ id: fc.nat(9999), group: fc.constantFrom("a", "b", "c", ""), day: fc.integer({ min: 1, max: 31 }) })
    .map(({ id, group, day }) => `${id},${group},2026-03-${String(day).padStart(2, "0")} 12:00:00`);

  test("a row stays where it is, whatever is added, taken away or turned round", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(row, { minLength: 2, maxLength: 30 }), async (rows) => {
        const half = rows.slice(Math.floor(rows.length / 2));
        const all = await splitsOf("id,group,at", rows, rule, [time]);
        const some = await splitsOf("id,group,at", [...half].reverse(), rule, [time]);
        expect(all.size).toBe(rows.length);
        for (const [key, name] of some) expect(all.get(key)).toBe(name);
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});

test("rows of one value of the column stay together", async () => {
  const rows = Array.from({ length: 200 }, (_, index) => `${index},g${index % 20}`);
  const found = await splitsOf("id,group", rows, { shares, seed: 0, by: "group" });
  const groups = new Map<string, Set<string>>();
  for (const [row, name] of found) {
    const group = row.split(",")[1] ?? "";
    groups.set(group, (groups.get(group) ?? new Set()).add(name));
  }
  expect([...groups.values()].every((names) => names.size === 1)).toBe(true);
  expect(new Set(found.values()).size).toBe(2);
});

test("a split by time ends where the next begins, and has the rows without a time first", async () => {
  const rows = ["1,2026-03-09 23:59:59", "2,2026-03-10", "3,2026-03-20T12:00:00Z", "4,"];
  const found = await splitsOf("id,at", rows, rules.time as SplitRule, [time]);
  expect([...rows.map((row) => found.get(row))]).toEqual(["train", "validation", "test", "train"]);
});

test("a time that is none is told before it is split by", async () => {
  const rows = ["1,2026-03-09", "2,secret"];
  await expect(splitsOf("id,at", rows, rules.time as SplitRule, [time])).rejects.toMatchObject({
    reason: "SchemaViolation",
    message: "column at has the role Timestamp, but holds String: it must be Timestamp or Date",
  });
});

describe("files are split one by one, to the byte", () => {
  const together = (written: Record<string, string>, path: string) =>
    Object.keys(written)
      .filter((name) => name.endsWith(path))
      .map((name) => (written[name] ?? "").split("\n").length);

  test("with the header in each, quotes and blank lines and all", async () => {
    const a = `x,y\n${Array.from({ length: 40 }, (_, index) => `${index},"two ""\nlines"\n`).join("")}`;
    const written = await split({ "a.csv": a, "b.csv": "x,y\n\n1, spaced \n2,z" }, { shares, seed: 0 });
    expect(Object.keys(written).sort()).toEqual(expect.arrayContaining(["test/a.csv", "train/a.csv"]));
    expect(together(written, "/a.csv").reduce((sum, lines) => sum + lines, 0)).toBe(4 + 80);
    expect(Object.values(written).every((content) => content.startsWith("x,y\n"))).toBe(true);
    const rest = Object.keys(written)
      .filter((path) => path.endsWith("b.csv"))
      .map((path) => written[path]?.slice(4));
    expect(rest.sort().join("")).toBe("1, spaced \n2,z");
  });

  test.each<[string, string, TableFormat]>([
    ["JSON lines with blank ones", '{"a": 1}\n\n  \n{"a": 2,  "b": "x"}\r\n{"a": 3}', "JSONL"],
    ["one column, where a blank line is a null", "a\n1\n\n2\n", "CSV"],
    ["one column, with a blank line at the end", "a\n1\n2\n\n", "CSV"],
    ["Windows' line ends", "a,b\r\n1,2\r\n3,4\r\n", "CSV"],
    ["old line ends", "a,b\r1,2\r3,4\r", "CSV"],
    ["mixed line ends", 'a,b\n1,2\r\n3,"4\r\n5"\n', "CSV"],
    ["a byte order mark", "\ufeffa,b\n1,2\n3,4\n", "CSV"],
    ["a quote inside a cell", 'a,b\n1,x"y,z"\n', "CSV"],
  ])("%s", async (_, content, format) => {
    if (content.includes("z")) {
      await expect(split({ "a.csv": content }, { shares, seed: 0 }, { format })).rejects.toThrow(/3 columns/);
      return;
    }
    const written = await split({ "a.csv": content }, { shares: [{ name: "all", percent: 100 }], seed: 0 }, { format });
    const blank = format === "JSONL" ? content.replace("\n\n  \n", "\n") : content;
    const mixed = content.includes("5") ? blank.replace("2\r\n", "2\n") : blank;
    expect(written["all/a.csv"]).toBe(mixed);
  });

  test.each<[string, string, CsvOptions?]>([
    ["a row of empty cells between tabs", "a\tb\n1\t2\n\t\n3\t4\n"],
    ["a row of empty cells between spaces", "a b\n1 2\n \n3 4\n", { delimiter: " ", header: true }],
    ["a quote after a space", 'a,b\n1, "x\ny"\n "2\n", z\n'],
    ["quotes that close before spaces, and open again", 'a,b\n"1" ,"x"  \n"2","y" "\nz"\n'],
    ["a delimiter of several bytes", 'a€b\n"x\ny"€ "p\nq"\n3€4\n', { delimiter: "€", header: true }],
    ["a byte order mark before a quote", '\ufeff"p\nq",2\n3,4\n', { header: false }],
    ["line ends in quotes before the first other one", '"p\r\nq",2\n3,4\n', { header: false }],
    ["mixed line ends after it", '\ufeff"p\nq",2\n3, "4"\r\n', { header: false }],
    ["mixed line ends, and another in quotes after a space", 'a,b\n1, "x\r\ny"\r\n2,z\n'],
    ["mixed line ends and a delimiter of several bytes", 'a€b\n1€"p\r\nq"\r\n', { delimiter: "€", header: true }],
  ])("%s", async (_, content, csv) => {
    const options = csv ? { csv } : {};
    const written = await split({ "a.csv": content }, { shares: [{ name: "all", percent: 100 }], seed: 0 }, options);
    const unified = content.replaceAll(/(?<=["2z])\r\n/g, "\n");
    expect(written).toEqual({ "all/a.csv": unified });
  });

  test("rows that two readers tell apart in two ways are no passing trouble", async () => {
    const local = join(folder, "a.csv");
    writeFileSync(local, "a,b\n1,2\n3,4\n");
    const raw = await openRaw(database, { format: "CSV", files: [{ path: "a.csv", local }], folder });
    const splits = { shares, seed: 0 };
    const typed = await makeTyped(database, raw, { declared: [], splits, folder });
    writeFileSync(local, "a,b\n1,2\n3,4\n5,6\n");
    await expect(writeSplits(database, { raw, typed, splits, folder: join(folder, "splits") })).rejects.toMatchObject({
      reason: "SourceInvalid",
      retryable: false,
      message: expect.stringMatching(/^a\.csv: its rows can't be told apart/),
    });
  });
});

test("Parquet has the same bytes whatever the number of threads, and each time", async () => {
  const local = join(folder, "rows.parquet");
  // DuckDB reads groups of 122,880 rows: what is left of each makes its threads' timing show in the groups that it writes.
  await database.run(
    `COPY (SELECT i AS id, sin(i) AS x, TIMESTAMP '2026-03-01' + to_days(CASE WHEN i % 122880 < 81700 THEN 0 ELSE 10 END) AS at
       FROM range(1500000) rows(i)) TO '${local}' (FORMAT parquet)`,
  );
  const splits = rules.time as SplitRule;
  const made = new Set<string>();
  for (const threads of [1, 2, 3, 8, 8, 8]) {
    const other = await Database.open(join(folder, "other"), [folder], { threads });
    const raw = await openRaw(other, { format: "Parquet", files: [{ path: "rows.parquet", local }], folder });
    const typed = await makeTyped(other, raw, { declared: [time], splits, folder });
    const written = await writeSplits(other, { raw, typed, splits, folder: join(folder, "splits") });
    other.close();
    made.add(JSON.stringify(written.map(({ path, rows, digest }) => [path, rows, digest])));
  }
  expect([...made]).toHaveLength(1);
}, 120_000);

test("a file of the format Files stays where it is by its path", () => {
  const paths = Array.from({ length: 500 }, (_, index) => `images/${index}.png`);
  const held = paths.filter((path) => pathSplit({ shares, seed: 0 }, path) === 1);
  expect(held.length).toBeGreaterThan(60);
  expect(held.length).toBeLessThan(140);
  expect(paths.some((path) => pathSplit({ shares, seed: 0 }, path) !== pathSplit({ shares, seed: 1 }, path))).toBe(
    true,
  );
});
