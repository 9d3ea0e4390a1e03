import type { ColumnProfile } from "../../store/api.ts";
import type { Database } from "./database.ts";
import type { TypedColumn } from "./typed.ts";

const topLimit = 20;
/** A label with more values than this is no class. */
const classLimit = 1000;
const shownLength = 256;

export interface TopValues {
  /** Absent where the table is too large to count it for every column. */
  distinct?: number;
  values: NonNullable<ColumnProfile["topValues"]>;
}

/** The most frequent values: of a label all, up to 1000 classes. */
export async function countValues(
  database: Database,
  column: TypedColumn,
  exact: boolean,
): Promise<TopValues | undefined> {
  const { cell, type, role } = column;
  const countable = type === "String" || type === "Boolean" || type === "Int64";
  if (!countable && role !== "Label") return undefined;
  const limit = role === "Label" ? classLimit : topLimit;
  const finite = type === "Double" ? ` AND NOT isnan(${cell})` : "";
  const rows = await database.rows(
    `SELECT left(${cell}::VARCHAR, ${shownLength}) AS value, n FROM
      (SELECT ${cell}, count(*) AS n FROM data WHERE ${cell} IS NOT NULL${finite} GROUP BY ${cell})
      ORDER BY n DESC, ${cell} LIMIT ${limit + 1}`,
  );
  // A label with more values than classes may have is a number to be predicted.
  if (role === "Label" && !countable && rows.length > limit) return undefined;
  const values = rows.slice(0, limit).map(({ value, n }) => ({ value: String(value), count: Number(n) }));
  return { values, ...(rows.length <= limit && !exact ? { distinct: rows.length } : {}) };
}
