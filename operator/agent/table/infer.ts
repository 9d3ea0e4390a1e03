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

/** Columns that are asked together: each row is a list of their cells meanwhile. */
const together = 256;

/**
 * The candidates that no value of the relation rules out. Cells of all columns are put below each other, so that what types
 * look like is planned once, and not for each column.
 */
async function surviving(
  database: Database,
  candidates: readonly Candidates[],
  relation: string,
): Promise<{ candidates: Candidates[]; rows: number }> {
  const left: Candidates[] = [];
  let rows = 0;
  const list = (of: readonly Candidates[], what: "text" | "written") => of.map(({ column }) => column[what]).join(", ");
  const cell = { text: "text", written: "written" };
  const misfits = inferable.map(
    (type) => `count(*) FILTER (nullif(text, '') IS NOT NULL AND NOT ${looksLike(cell, type)}) AS "${type}"`,
  );
  for (let start = 0; start < candidates.length; start += together) {
    const part = candidates.slice(start, start + together);
    const counts = await database.rows(
      `SELECT n, count(*) AS rows, count(nullif(text, '')) AS present, ${misfits.join(", ")}
        FROM (SELECT unnest(range(${part.length})) AS n, unnest([${list(part, "text")}]) AS text,
          unnest([${list(part, "written")}]) AS written FROM ${relation}) GROUP BY n ORDER BY n`,
    );
    rows = Number(counts[0]?.rows ?? 0);
    for (const [index, { column, types }] of part.entries()) {
      const known = counts[index] ?? {};
      const fits = types.filter((type) => Number(known[type] ?? 0) === 0);
      left.push({ column, types: fits, empty: Number(known.present ?? 0) === 0 });
    }
  }
  return { candidates: left, rows };
}
