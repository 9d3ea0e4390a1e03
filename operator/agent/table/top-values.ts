import type { ColumnProfile } from "../../store/api.ts";
import type { Database } from "./database.ts";
import { valueSql } from "./numbers.ts";
import type { TypedColumn } from "./typed.ts";

const topLimit = 20;
/** A label with more values than this is no class. */
const classLimit = 1000;
/** More values than this are not all counted in a large table. */
const countable = 100_000;
const shownLength = 256;

export interface TopValues {
  /** Absent where not all values were counted. */
  distinct?: number;
  values: NonNullable<ColumnProfile["topValues"]>;
}

interface Table {
  /** SQL: all rows. */
  relation: string;
  exact: boolean;
  /** How many values there are, about. */
  distinct: number;
  /** SQL: some of the rows. */
  sample: string;
}

/**
 * The most frequent values: of a label all, up to 1000 classes. In a large table with many values, those that are most
 * frequent in a sample, each counted in all rows.
 */
export async function countValues(
  database: Database,
  column: TypedColumn,
  { relation, exact, distinct, sample }: Table,
): Promise<TopValues | undefined> {
  const { cell, type, role, sensitive } = column;
  // Of few numbers each is told: bins of their own ranges can't be compared with another version's.
  const few = type === "Double" && distinct <= topLimit;
  const discrete = type === "String" || type === "Boolean" || type === "Int64" || few;
  if (sensitive || (!discrete && role !== "Label")) return undefined;
  const limit = role === "Label" ? classLimit : topLimit;
  const known = `${valueSql(column)} IS NOT NULL`;
  const all = exact || distinct <= countable;
  const order = `ORDER BY count(*) DESC, ${cell} LIMIT ${limit + 1}`;
  const candidates = `SELECT ${cell} FROM ${sample} WHERE ${known} GROUP BY ${cell} ${order}`;
  const rows = await database.rows(
    `SELECT left(${cell}::VARCHAR, ${shownLength}) AS value, n FROM
      (SELECT ${cell}, count(*) AS n FROM ${relation} WHERE ${known}${all ? "" : ` AND ${cell} IN (${candidates})`} GROUP BY ${cell} ${order})
      ORDER BY n DESC, ${cell}`,
  );
  // A label with more values than classes may have is a number to be predicted.
  if (role === "Label" && !discrete && rows.length > limit) return undefined;
  const values = rows.slice(0, limit).map(({ value, n }) => ({ value: String(value), count: Number(n) }));
  return { values, ...(all && rows.length <= limit ? { distinct: rows.length } : {}) };
}
