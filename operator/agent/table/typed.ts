import type { Column, ColumnType } from "../../store/api.ts";
import { clip, permanent } from "../failure.ts";
import type { SnapshotTask } from "../tasks.ts";
import type { Database } from "./database.ts";
import type { RawColumn, RawTable } from "./raw.ts";
import { cast, inferable, looksLike, nativeType, present, readsAs } from "./types.ts";

export type DeclaredColumn = SnapshotTask["columns"][number];

/** A column of the table `data`, which has the values of `raw` in their types. */
export interface TypedColumn extends Omit<Column, "nullable"> {
  cell: string;
}

/** Rows that are enough to rule most types out. */
const sampleRows = 10_000;

/** Makes the table `data`: declared columns must be there and keep their type, the others' types are inferred. */
export async function makeTyped(
  database: Database,
  raw: RawTable,
  declared: readonly DeclaredColumn[],
): Promise<TypedColumn[]> {
  checkPresent(raw, declared);
  const types = new Map(declared.flatMap(({ name, type }) => (type ? [[name, type] as const] : [])));
  await checkDeclared(database, raw, types);
  const inferred = await inferTypes(
    database,
    raw.columns.filter(({ name }) => !types.has(name)),
  );
  const columns = raw.columns.map((column) => {
    const { name, cell } = column;
    const role = declared.find((candidate) => candidate.name === name)?.role;
    const type = types.get(name) ?? inferred.get(name) ?? "String";
    return { column, typed: { name, cell, type, ...(role ? { role } : {}) } satisfies TypedColumn };
  });
  const select = columns.map(({ column, typed }) => `${cast(column, typed.type)} AS ${column.cell}`).join(", ");
  await database.run(`CREATE TABLE data AS SELECT ${select} FROM raw`);
  return columns.map(({ typed }) => typed);
}

function checkPresent(raw: RawTable, declared: readonly DeclaredColumn[]): void {
  const missing = declared.filter(({ name }) => !raw.columns.some((column) => column.name === name));
  if (missing.length === 0) return;
  const names = (list: readonly { name: string }[]) => clip(list.map(({ name }) => name).join(", "), 300);
  const plural = missing.length > 1 ? "columns are" : "column is";
  throw permanent(
    "SchemaViolation",
    `the declared ${plural} not in the data: ${names(missing)}; the data has: ${names(raw.columns)}`,
  );
}

async function checkDeclared(database: Database, raw: RawTable, types: ReadonlyMap<string, ColumnType>): Promise<void> {
  const checks = raw.columns.flatMap((column) => {
    const type = types.get(column.name);
    if (!type || type === "String") return [];
    return [{ column, type, bad: `(${present(column, type)} IS NOT NULL AND NOT ${readsAs(column, type)})` }];
  });
  if (checks.length === 0) return;
  const counts = await database.aggregate(
    checks.map(({ bad }, index) => `count(*) FILTER (${bad}) AS n${index}`),
    "raw",
  );
  for (const [index, { column, type, bad }] of checks.entries()) {
    const count = Number(counts[`n${index}`]);
    if (count === 0) continue;
    const { row, value } = await database.row(
      `SELECT rowid AS row, ${column.text} AS value FROM raw WHERE ${bad} ORDER BY rowid LIMIT 1`,
    );
    const more = count > 1 ? ` (and ${count - 1} more values of the column)` : "";
    const shown = JSON.stringify(clip(String(value), 64));
    const where = locate(raw, Number(row));
    throw permanent("SchemaViolation", `${where}: column ${column.name} must be ${type}, but holds ${shown}${more}`);
  }
}

/** A row of `raw` in words: its file, and its number there, from 1 and without the header. */
function locate(raw: RawTable, row: number): string {
  let before = 0;
  for (const { path, rows } of raw.parts) {
    if (row < before + rows) return `${path}, row ${row - before + 1}`;
    before += rows;
  }
  return `row ${row + 1}`;
}

/** The first type that all values of a column look like; a column without values is String. */
async function inferTypes(database: Database, columns: readonly RawColumn[]): Promise<Map<string, ColumnType>> {
  const inferred = new Map<string, ColumnType>();
  const open: Candidates[] = [];
  for (const column of columns) {
    if (column.native) inferred.set(column.name, nativeType(column.native));
    else open.push({ column, types: inferable });
  }
  const sampled = await surviving(database, open, `(SELECT * FROM raw LIMIT ${sampleRows})`);
  const checked = await surviving(database, sampled, "raw");
  for (const { column, types, empty } of checked) inferred.set(column.name, (empty ? undefined : types[0]) ?? "String");
  return inferred;
}

interface Candidates {
  column: RawColumn;
  types: readonly ColumnType[];
  empty?: boolean;
}

/** The candidates that no value of the relation rules out. */
async function surviving(
  database: Database,
  candidates: readonly Candidates[],
  relation: string,
): Promise<Candidates[]> {
  if (candidates.length === 0) return [];
  const select = candidates.flatMap(({ column, types }, c) => [
    `count(nullif(${column.text}, '')) AS n${c}`,
    ...types.map((type, t) => {
      const value = `nullif(${column.text}, '') IS NOT NULL`;
      return `count(*) FILTER (${value} AND NOT ${looksLike(column, type)}) AS n${c}_${t}`;
    }),
  ]);
  const counts = await database.aggregate(select, relation);
  return candidates.map(({ column, types }, c) => ({
    column,
    types: types.filter((_type, t) => Number(counts[`n${c}_${t}`]) === 0),
    empty: Number(counts[`n${c}`]) === 0,
  }));
}
