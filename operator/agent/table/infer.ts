import type { ColumnType } from "../../store/api.ts";
import { chunks } from "../../store/chunks.ts";
import type { Database } from "./database.ts";
import type { RawColumn, RawTable } from "./raw.ts";
import { inferable, looksLike, nativeType } from "./types.ts";

/** Rows that are enough to rule most types out. */
const sampleRows = 10_000;

/** Columns that are asked together: each row is a list of their cells meanwhile. */
const together = 256;

/** What a column's values look like. */
interface Guess {
  column: RawColumn;
  /** The first type that none of them rules out. */
  type: ColumnType;
  /** It has no values. */
  empty: boolean;
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
  const open: RawColumn[] = [];
  for (const column of columns) {
    if (column.native) inferred.set(column.name, nativeType(column.native));
    else open.push(column);
  }
  const note = ({ guesses }: { guesses: readonly Guess[] }) => {
    for (const { column, type, empty } of guesses) inferred.set(column.name, empty ? "String" : type);
  };
  const first = all ? raw.relation() : `(SELECT * FROM ${raw.relation()} LIMIT ${sampleRows})`;
  const asked = await guess(database, open, first);
  note(asked);
  const unseen = asked.rows === sampleRows && !all ? asked.guesses.filter(({ empty }) => empty) : [];
  const rest = unseen.map(({ column }) => column);
  note(await guess(database, rest, raw.relation()));
  return inferred;
}

/** Cells of all columns are put below each other, so that what types look like is planned once, and not for each column. */
async function guess(
  database: Database,
  columns: readonly RawColumn[],
  relation: string,
): Promise<{ guesses: Guess[]; rows: number }> {
  const guesses: Guess[] = [];
  let rows = 0;
  const cell = { text: "text", written: "written" };
  const misfits = inferable.map(
    (type) => `count(*) FILTER (nullif(text, '') IS NOT NULL AND NOT ${looksLike(cell, type)}) AS "${type}"`,
  );
  for (const part of chunks(columns, together)) {
    const list = (what: "text" | "written") => part.map((column) => column[what]).join(", ");
    const counts = await database.rows(
      `SELECT n, count(*) AS rows, count(nullif(text, '')) AS present, ${misfits.join(", ")}
        FROM (SELECT unnest(range(${part.length})) AS n, unnest([${list("text")}]) AS text,
          unnest([${list("written")}]) AS written FROM ${relation}) GROUP BY n ORDER BY n`,
    );
    rows = Number(counts[0]?.rows ?? 0);
    for (const [index, column] of part.entries()) {
      // Of no rows there is nothing to count.
      const { present = 0, ...misfit } = counts[index] ?? {};
      const type = inferable.find((candidate) => Number(misfit[candidate] ?? 0) === 0) ?? "String";
      guesses.push({ column, type, empty: Number(present) === 0 });
    }
  }
  return { guesses, rows };
}
