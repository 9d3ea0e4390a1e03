import type { ColumnType } from "../../store/api.ts";
import type { Database } from "./database.ts";
import type { RawColumn, RawTable } from "./raw.ts";
import { inferable, looksLike, nativeType } from "./types.ts";

/** Rows that are enough to rule most types out. */
const sampleRows = 10_000;

interface Candidates {
  column: RawColumn;
  types: readonly ColumnType[];
  empty?: boolean;
}

/**
 * The first type that all values of a column look like; a column without values is String. The first rows make a guess;
 * with `all` every row is asked.
 */
export async function inferTypes(
  database: Database,
  columns: readonly RawColumn[],
  { raw, all }: { raw: RawTable; all: boolean },
): Promise<Map<string, ColumnType>> {
  const inferred = new Map<string, ColumnType>();
  const open: Candidates[] = [];
  for (const column of columns) {
    if (column.native) inferred.set(column.name, nativeType(column.native));
    else open.push({ column, types: inferable });
  }
  const note = ({ column, types, empty }: Candidates) =>
    inferred.set(column.name, (empty ? undefined : types[0]) ?? "String");
  const asked = await surviving(
    database,
    open,
    all ? raw.relation() : `(SELECT * FROM ${raw.relation()} LIMIT ${sampleRows})`,
  );
  for (const candidates of asked.candidates) note(candidates);
  const unseen = asked.rows === sampleRows && !all ? asked.candidates.filter(({ empty }) => empty) : [];
  for (const candidates of (await surviving(database, unseen, raw.relation())).candidates) note(candidates);
  return inferred;
}

/** The candidates that no value of the relation rules out. */
async function surviving(
  database: Database,
  candidates: readonly Candidates[],
  relation: string,
): Promise<{ candidates: Candidates[]; rows: number }> {
  if (candidates.length === 0) return { candidates: [], rows: 0 };
  const select = candidates.flatMap(({ column, types }, c) => [
    `count(nullif(${column.text}, '')) AS n${c}`,
    ...types.map((type, t) => {
      const value = `nullif(${column.text}, '') IS NOT NULL`;
      return `count(*) FILTER (${value} AND NOT ${looksLike(column, type)}) AS n${c}_${t}`;
    }),
  ]);
  const counts = await database.aggregate(["count(*) AS rows", ...select], relation);
  const left = candidates.map(({ column, types }, c) => ({
    column,
    types: types.filter((_type, t) => Number(counts[`n${c}_${t}`]) === 0),
    empty: Number(counts[`n${c}`]) === 0,
  }));
  return { candidates: left, rows: Number(counts.rows) };
}
