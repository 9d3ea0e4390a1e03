import type { ExpectationResult } from "../../store/api.ts";
import { clip, errorText } from "../failure.ts";
import { showExamples } from "../table/examples.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { ExpectationTask } from "../tasks.ts";
import { judgeDrift } from "./drift.ts";
import { judgeNumber } from "./number.ts";
import { type CheckedTable, exampleRows } from "./table.ts";
import { type Rule, valueRules } from "./values.ts";

const messageLength = 512;

/** How the data stands to each expectation. All that is asked of single values is found out in one pass. */
export async function judge(
  expectations: readonly ExpectationTask[],
  table: CheckedTable,
): Promise<ExpectationResult[]> {
  const asked = expectations.map((expectation) => ({ expectation, ...askColumn(expectation, table) }));
  const broken = await countBroken(
    table,
    asked.flatMap(({ rules }) => rules),
  );
  const results: ExpectationResult[] = [];
  for (const { expectation, column, rules, trouble } of asked) {
    const failures = trouble ? [trouble] : [];
    for (const rule of rules) {
      const count = broken.get(rule);
      if (typeof count === "string") failures.push(count);
      else if (count) failures.push(await describeBroken(table, rule, count));
    }
    if (column) failures.push(...(await judgeColumn(expectation, column, table)));
    else if (!trouble) failures.push(...(await judgeTable(expectation, table)));
    const passed = failures.length === 0;
    const message = passed ? "kept" : clip(failures.join("; "), messageLength);
    results.push({ name: expectation.name, passed, message });
  }
  return results;
}

interface Asked {
  column?: TypedColumn;
  rules: Rule[];
  trouble?: string;
}

function askColumn(expectation: ExpectationTask, { columns }: CheckedTable): Asked {
  if (expectation.column === undefined) return { rules: [] };
  const column = columns.find(({ name }) => name === expectation.column);
  if (!column) return { rules: [], trouble: `there is no column ${expectation.column}` };
  const rules = valueRules(expectation, column);
  if (typeof rules === "string") return { rules: [], trouble: `column ${column.name} ${rules}` };
  return { column, rules };
}

/** How many values break each rule, in one pass; in words where it can't be asked. */
async function countBroken({ database }: CheckedTable, rules: readonly Rule[]): Promise<Map<Rule, number | string>> {
  const counts = new Map<Rule, number | string>();
  const askable: Rule[] = [];
  for (const rule of rules) {
    try {
      await database.rows(`SELECT count(*) FROM cells WHERE ${rule.bad} AND false`);
      // An empty table compiles no pattern.
      await database.rows(`SELECT ${rule.bad} FROM (SELECT ${rule.column.cell} FROM cells LIMIT 1)`);
      askable.push(rule);
    } catch (error) {
      counts.set(rule, `column ${rule.column.name}: ${clip(errorText(error).split("\n")[0] ?? "", 200)}`);
    }
  }
  if (askable.length === 0) return counts;
  const found = await database.aggregate(
    askable.map(({ bad }, index) => `count(*) FILTER (${bad}) AS n${index}`),
    "cells",
  );
  for (const [index, rule] of askable.entries()) counts.set(rule, Number(found[`n${index}`]));
  return counts;
}

async function describeBroken(table: CheckedTable, { column, bad, what }: Rule, count: number): Promise<string> {
  const values = count === 1 ? "1 value is" : `${count} values are`;
  return `column ${column.name}: ${values} ${what}: ${await exampleRows(table, column, bad)}`;
}

/** What is asked of a column as a whole. */
async function judgeColumn(
  { unique, maxNulls, maxPsi }: ExpectationTask,
  column: TypedColumn,
  table: CheckedTable,
): Promise<string[]> {
  const failures: string[] = [];
  const { name } = column;
  const profile = table.profiled.profile.find((candidate) => candidate.name === name);
  if (unique) {
    const twice = await findTwice(column, table);
    if (twice) failures.push(twice);
  }
  if (maxNulls !== undefined && profile && profile.count > 0) {
    const share = profile.nulls / profile.count;
    if (share > maxNulls) failures.push(`column ${name}: ${percent(share)} are null, more than ${percent(maxNulls)}`);
  }
  const drift = maxPsi === undefined ? undefined : judgeDrift(maxPsi, column, table);
  if (drift) failures.push(drift);
  return failures;
}

/** Values that come twice, by groups that may be spilled to disk. */
async function findTwice({ name, cell, sensitive }: TypedColumn, { database, files }: CheckedTable) {
  const groups = await database.rows(
    `SELECT ${cell}::VARCHAR AS value, file, row, count(*) OVER () AS values FROM (
       SELECT ${cell}, count(*) AS n, arg_min(file, (file, row)) AS file, min(row) AS row FROM cells
       WHERE ${cell} IS NOT NULL GROUP BY ${cell} HAVING count(*) > 1) ORDER BY row LIMIT 3`,
  );
  const [first] = groups;
  if (!first) return undefined;
  const count = Number(first.values);
  const examples = [];
  for (const { value, file, row } of groups) {
    const { first } = await database.row(`SELECT min(row) AS first FROM cells WHERE file = ${file}`);
    const path = files[Number(file)]?.path ?? "";
    examples.push({ path, row: Number(row) - Number(first) + 1, value: String(value) });
  }
  const what = count === 1 ? "1 value comes" : `${count} values come`;
  return `column ${name}: ${what} more than once: ${showExamples(examples, sensitive)}`;
}

async function judgeTable(expectation: ExpectationTask, table: CheckedTable): Promise<string[]> {
  const { rows, freshness, sql } = expectation;
  if (rows) return judgeRows(rows, table);
  if (freshness) return judgeFreshness(freshness.maxAge, table);
  const trouble = sql === undefined ? undefined : await judgeNumber({ ...expectation, sql }, table);
  return trouble === undefined ? [] : [trouble];
}

function judgeRows({ min, max, maxDecrease }: NonNullable<ExpectationTask["rows"]>, table: CheckedTable): string[] {
  const { rows } = table.profiled;
  const failures: string[] = [];
  if (min !== undefined && rows < min) failures.push(`${rows} rows are fewer than ${min}`);
  if (max !== undefined && rows > max) failures.push(`${rows} rows are more than ${max}`);
  const before = table.current?.rows ?? 0;
  if (maxDecrease !== undefined && rows < before * (1 - maxDecrease)) {
    const lost = percent(1 - rows / before);
    const version = table.current?.version;
    failures.push(
      `${rows} rows are ${lost} fewer than the ${before} of version ${version}; at most ${percent(maxDecrease)} may be lacking`,
    );
  }
  return failures;
}

function judgeFreshness(maxAge: number, { columns, profiled: { newest } }: CheckedTable): string[] {
  const hidden = columns.find(({ role, sensitive }) => role === "Timestamp" && sensitive);
  if (hidden) return [`the column ${hidden.name} is sensitive: how fresh the rows are is not told`];
  if (newest === undefined) return ["no row has a value in the column with the role Timestamp"];
  const age = Date.now() - newest;
  if (age <= maxAge) return [];
  const hours = (milliseconds: number) => `${(milliseconds / 3_600_000).toFixed(1)} h`;
  return [`the newest row is of ${new Date(newest).toISOString()}, ${hours(age)} old, more than ${hours(maxAge)}`];
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
