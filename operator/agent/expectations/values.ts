import { literal } from "../table/database.ts";
import { doubleSql, isNumeric } from "../table/numbers.ts";
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
  Int64: "BIGINT",
  Double: "DOUBLE",
  String: "VARCHAR",
  Date: "DATE",
  Timestamp: "TIMESTAMP",
} as const;

/** What an expectation asks of each value of its column; in words when it can't be asked. */
export function valueRules(expectation: ExpectationTask, column: TypedColumn): Rule[] | string {
  const { min, max, in: set, pattern, maxPsi } = expectation;
  if (maxPsi !== undefined && column.sensitive) return "is sensitive, and maxPsi compares its values";
  // Infinite values are above, below or not in the set; NaN counts as null.
  const value = column.type === "Double" ? `nullif(${column.cell}, 'NaN'::DOUBLE)` : column.cell;
  const rules: Rule[] = [];
  if (min !== undefined || max !== undefined) {
    if (!isNumeric(column)) return `is ${column.type}, and min and max are for numbers`;
    const bound = (limit: number) => boundSql(limit, column);
    if (min !== undefined) rules.push({ column, bad: `${value} < ${bound(min)}`, what: `below ${min}` });
    if (max !== undefined) rules.push({ column, bad: `${value} > ${bound(max)}`, what: `above ${max}` });
  }
  if (set) {
    const values = set.map((member) => memberSql(literal(String(member)), column));
    const known = `list_filter([${values.join(", ")}], value -> value IS NOT NULL)`;
    rules.push({ column, bad: `NOT list_contains(${known}, ${value})`, what: "not in the set" });
  }
  if (pattern !== undefined) {
    const bad = `NOT regexp_full_match(${column.cell}::VARCHAR, ${literal(pattern)})`;
    rules.push({ column, bad, what: "not of the pattern" });
  }
  return rules;
}

/** A limit of a column's values. Integers are compared as such: a double has not all digits of a large one. */
function boundSql(limit: number, { type }: TypedColumn): string {
  return type === "Int64" && Number.isInteger(limit) ? `${BigInt(limit)}` : doubleSql(limit);
}

/** A text read in the column's type, so that 1 is 1.0; null where it is none of its values, as 0.5 is no integer. */
function memberSql(text: string, { type }: TypedColumn): string {
  const read = `TRY_CAST(${text} AS ${sqlTypes[type]})`;
  return type === "Int64" ? `CASE WHEN ${read}::DOUBLE = TRY_CAST(${text} AS DOUBLE) THEN ${read} END` : read;
}
