import { literal } from "../table/database.ts";
import { doubleSql, isNumeric, numberSql } from "../table/numbers.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { ExpectationTask } from "../tasks.ts";

/** Something that no value may be. */
export interface Rule {
  column: TypedColumn;
  /** SQL, true for the values that break it. */
  bad: string;
  /** What they are, after "3 values": "are below 8". */
  what: string;
}

const sqlTypes = {
  Boolean: "BOOLEAN",
  Int64: "DOUBLE",
  Double: "DOUBLE",
  String: "VARCHAR",
  Date: "DATE",
  Timestamp: "TIMESTAMP",
} as const;

/** What an expectation asks of each value of its column; in words when it can't be asked. */
export function valueRules(expectation: ExpectationTask, column: TypedColumn): Rule[] | string {
  const { min, max, in: set, pattern } = expectation;
  const rules: Rule[] = [];
  if (min !== undefined || max !== undefined) {
    if (!isNumeric(column)) return `is ${column.type}, and min and max are for numbers`;
    // Infinite values are above or below, NaN counts as null.
    const value = column.type === "Double" ? `nullif(${column.cell}, 'NaN'::DOUBLE)` : `${column.cell}::DOUBLE`;
    if (min !== undefined) rules.push({ column, bad: `${value} < ${doubleSql(min)}`, what: `below ${min}` });
    if (max !== undefined) rules.push({ column, bad: `${value} > ${doubleSql(max)}`, what: `above ${max}` });
  }
  if (set) {
    const type = sqlTypes[column.type];
    // Read in the column's type, so that 1 is 1.0.
    const values = set.map((value) => `TRY_CAST(${literal(String(value))} AS ${type})`);
    const value = isNumeric(column) ? numberSql(column) : column.cell;
    const known = `list_filter([${values.join(", ")}], value -> value IS NOT NULL)`;
    rules.push({ column, bad: `NOT list_contains(${known}, ${value})`, what: "not in the set" });
  }
  if (pattern !== undefined) {
    const bad = `NOT regexp_full_match(${column.cell}::VARCHAR, ${literal(pattern)})`;
    rules.push({ column, bad, what: "not of the pattern" });
  }
  return rules;
}
