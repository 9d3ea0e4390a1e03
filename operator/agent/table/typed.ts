import type { Column, ColumnType } from "../../store/api.ts";
import { clip, errorText, permanent } from "../failure.ts";
import type { DeclaredColumn, SplitRule } from "../tasks.ts";
import { type Database, literal, pathList } from "./database.ts";
import { type Example, showExamples } from "./examples.ts";
import { inferTypes } from "./infer.ts";
import type { RawColumn, RawTable } from "./raw.ts";
import { splitSql } from "./split.ts";
import { cast, isNative, present, probeSql, readsAs, strict } from "./types.ts";

/** A column of the table `cells`, which has the files' values in their types. */
export interface TypedColumn extends Omit<Column, "nullable"> {
  cell: string;
}

interface TypingRequest {
  declared: readonly DeclaredColumn[];
  splits?: SplitRule | undefined;
  /** For the values in columns, when the files have them as text. */
  folder: string;
  told?: ((share: number) => void) | undefined;
}

/**
 * Makes the view `cells`: c0, c1, … as values, `file` and `row` for where they are from, and `split` where the files are
 * text and a rule is given. Declared columns must be there and keep their type, the others' types are inferred. Text is
 * parsed once, into a Parquet file; Parquet is read where it is.
 */
export async function makeTyped(
  database: Database,
  raw: RawTable,
  { declared, splits, folder, told }: TypingRequest,
): Promise<TypedColumn[]> {
  checkPresent(raw, declared, splits);
  const given = new Map(declared.flatMap(({ name, type }) => (type ? [[name, type] as const] : [])));
  const columns = (types: ReadonlyMap<string, ColumnType>): TypedColumn[] =>
    raw.columns.map(({ name, cell }) => {
      const { role, sensitive } = declared.find((candidate) => candidate.name === name) ?? {};
      const type = given.get(name) ?? types.get(name) ?? "String";
      return { name, cell, type, ...(role ? { role } : {}), ...(sensitive ? { sensitive } : {}) };
    });
  const open = raw.columns.filter(({ name }) => !given.has(name));
  const guessed = columns(await attempt(raw, () => inferTypes(database, open, { raw, all: false })));
  checkRoles(guessed);
  if (raw.columns.every((column, index) => isNative(column, typeAt(guessed, index)))) {
    const select = raw.columns.map((column, index) => `${cast(column, typeAt(guessed, index))} AS ${column.cell}`);
    await database.run(`CREATE OR REPLACE VIEW cells AS SELECT ${select.join(", ")}, file, row FROM ${raw.relation()}`);
    return guessed;
  }
  const convert = (typed: readonly TypedColumn[]) =>
    attempt(raw, () => writeColumns(database, raw, { typed, given, splits, folder, told }));
  const misfit = await convert(guessed);
  if (misfit === undefined) return guessed;
  if (given.has(guessed[misfit]?.name ?? "")) throw await violation(database, raw, guessed[misfit] as TypedColumn);
  // The sample has misled: all rows are asked.
  const exact = columns(await attempt(raw, () => inferTypes(database, open, { raw, all: true })));
  checkRoles(exact);
  const second = await convert(exact);
  if (second !== undefined) throw await violation(database, raw, exact[second] as TypedColumn);
  return exact;
}

function typeAt(columns: readonly TypedColumn[], index: number): ColumnType {
  return columns[index]?.type ?? "String";
}

interface Writing extends TypingRequest {
  typed: readonly TypedColumn[];
  given: ReadonlyMap<string, ColumnType>;
}

/** The number of the column that has a value of another type, if there is one. */
async function writeColumns(
  database: Database,
  raw: RawTable,
  { typed, given, splits, folder, told }: Omit<Writing, "declared">,
): Promise<number | undefined> {
  const inner: string[] = [];
  const outer: string[] = [];
  const columns = raw.columns.map((column, index) => {
    const type = typeAt(typed, index);
    const direct = column.text === column.cell;
    const names = {
      text: direct ? column.cell : `t${index}`,
      written: direct ? column.cell : `w${index}`,
      probe: `v${index}`,
    };
    const declared = given.has(column.name);
    inner.push(column.cell, `${probeSql(column, type, declared)} AS ${names.probe}`);
    if (!direct) inner.push(`${column.text} AS ${names.text}`, `${column.written} AS ${names.written}`);
    const named = { ...column, ...names };
    outer.push(`${strict(named, type, { declared, number: index })} AS ${column.cell}`);
    return named;
  });
  const time = typed.findIndex(({ role }) => role === "Timestamp");
  const timed = time < 0 ? undefined : cast(columns[time] as RawColumn, typeAt(typed, time));
  if (splits) outer.push(`${splitSql(splits, columns, timed)} AS split`);
  const target = { local: `${folder}/cells.parquet` };
  try {
    await database.runTold(
      `COPY (SELECT ${outer.join(", ")}, file FROM (SELECT ${inner.join(", ")}, file FROM ${raw.relation()}))
         TO ${literal(target.local)} (FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE ${groupRows(columns.length)})`,
      told ?? (() => undefined),
    );
  } catch (error) {
    const [, kind, number = ""] = /\b(misfit|nul) (\d+)/.exec(errorText(error)) ?? [];
    if (kind === "misfit") return Number(number);
    if (kind === "nul") throw await nulError(database, raw, Number(number));
    throw error;
  }
  await database.run(
    `CREATE OR REPLACE VIEW cells AS SELECT * EXCLUDE (file_row_number), file_row_number AS row
       FROM read_parquet(${pathList([target])}, file_row_number = true)`,
  );
  return undefined;
}

const vectorRows = 2048;
/** Of a row group, which is held in memory while it is written. */
const defaultRows = 60 * vectorRows;
const groupCells = 64 * defaultRows;

/** Rows of a group: DuckDB's own number, and fewer of many columns. */
function groupRows(columns: number): number {
  const vectors = Math.floor(Math.min(defaultRows, groupCells / columns) / vectorRows);
  return Math.max(1, vectors) * vectorRows;
}

/** Files that can't be read are mended once where that is possible. */
async function attempt<Result>(raw: RawTable, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const mended = isUnreadable(error) && (await raw.mend(error));
    return explained(raw, mended ? work : () => Promise.reject(error));
  }
}

/** What is wrong with the files, where that is why a query failed. */
export async function explained<Result>(raw: RawTable, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw isUnreadable(error) ? await raw.explain(error) : error;
  }
}

function isUnreadable(error: unknown): boolean {
  if (!(error instanceof Error) || /No space left|Out of Memory/.test(error.message)) return false;
  return /^(Invalid Input|Conversion|Invalid|IO|Parser|Serialization) Error|TProtocolException/.test(error.message);
}

function checkPresent(raw: RawTable, declared: readonly DeclaredColumn[], splits: SplitRule | undefined): void {
  const by = splits && "by" in splits && splits.by !== undefined ? [{ name: splits.by }] : [];
  const missing = [...declared, ...by].filter(({ name }) => !raw.columns.some((column) => column.name === name));
  if (missing.length === 0) return;
  const names = (list: readonly { name: string }[]) => clip(list.map(({ name }) => name).join(", "), 300);
  const plural = missing.length > 1 ? "columns are" : "column is";
  throw permanent(
    "SchemaViolation",
    `the declared ${plural} not in the data: ${names(missing)}; the data has: ${names(raw.columns)}`,
  );
}

/** The types that a role needs. */
const roleTypes: Partial<Record<NonNullable<Column["role"]>, readonly ColumnType[]>> = {
  Timestamp: ["Timestamp", "Date"],
  Weight: ["Double", "Int64"],
};

function checkRoles(columns: readonly TypedColumn[]): void {
  for (const { name, type, role } of columns) {
    const wanted = role && roleTypes[role];
    if (!wanted || wanted.includes(type)) continue;
    throw permanent(
      "SchemaViolation",
      `column ${name} has the role ${role}, but holds ${type}: it must be ${wanted.join(" or ")}`,
    );
  }
}

/** Which values of a declared column are not of its type. */
async function violation(database: Database, raw: RawTable, { name, type, sensitive }: TypedColumn) {
  const column = raw.columns.find((candidate) => candidate.name === name) as RawColumn;
  const bad = `(${present(column, type)} IS NOT NULL AND NOT ${readsAs(column, type)})`;
  const { count, examples } = await findCells(database, raw, { column, bad });
  const values = count === 1 ? "1 value is not" : `${count} values are not`;
  return permanent(
    "SchemaViolation",
    `column ${name} must be ${type}, but ${values}: ${showExamples(examples, sensitive)}`,
  );
}

async function nulError(database: Database, raw: RawTable, number: number) {
  const column = raw.columns[number] as RawColumn;
  const { examples } = await findCells(database, raw, { column, bad: `contains(${column.text}, chr(0))` });
  const where = showExamples(examples, true);
  return permanent("SourceInvalid", `column ${column.name} holds NUL characters: ${where}: is this a text file?`);
}

/** How many cells of a column are bad, and the first three. */
async function findCells(
  database: Database,
  raw: RawTable,
  { column, bad }: { column: RawColumn; bad: string },
): Promise<{ count: number; examples: Example[] }> {
  const counts = await database.rows(
    `SELECT file, count(*) AS n FROM ${raw.relation()} WHERE ${bad} GROUP BY file ORDER BY file`,
  );
  const file = Number(counts[0]?.file ?? 0);
  const found = await database.rows(
    `SELECT n, ${column.text} AS value FROM (SELECT *, row_number() OVER () AS n FROM ${raw.relation(file)})
       WHERE ${bad} LIMIT 3`,
  );
  const path = raw.files[file]?.path ?? "";
  return {
    count: counts.reduce((sum, { n }) => sum + Number(n), 0),
    examples: found.map(({ n, value }) => ({ path, row: Number(n), value: String(value) })),
  };
}
