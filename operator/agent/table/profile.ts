import type { ColumnProfile } from "../../store/api.ts";
import { chunks } from "../../store/chunks.ts";
import { errorText } from "../failure.ts";
import type { Database, Row } from "./database.ts";
import { countBins, edgesOf, type Histogram } from "./histogram.ts";
import { type MissingPattern, missingPatterns } from "./missing.ts";
import { finiteSql, isNumeric, isOrdered, numberSql, valueSql } from "./numbers.ts";
import { countValues, type TopValues } from "./top-values.ts";
import type { TypedColumn } from "./typed.ts";

const probabilities = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
/** Beyond this many rows, distinct counts, quantiles and the choice of top values are estimates. */
const exactRows = 1_000_000;
/** About as many rows make the estimates: a quantile's rank is then right within 0.3 % of the rows. */
const sampleRows = 200_000;
/** Columns of a part of a wide table. */
const partColumns = 64;
/** Squares of larger numbers leave the range of a double. */
const squarable = 1e150;
/** Sums of larger numbers may leave it. */
const summable = 1e300;

export interface Profiled {
  rows: number;
  profile: ColumnProfile[];
  missing: MissingPattern[];
  /** Nulls by column, without the NaNs that `profile` counts as null, too. */
  nulls: ReadonlyMap<string, number>;
  /** The newest value of the column with the role Timestamp, unless it is sensitive, in milliseconds since 1970. */
  newest?: number;
}

const lastDateMs = 8.64e15;

/**
 * Statistics of the table `cells`, over all its rows, in one pass and a short one for each histogram. `count` counts rows,
 * nulls included. NaN counts as null, as in pandas; infinite values count as values, and are left out of every number.
 */
export async function profileTable(database: Database, columns: readonly TypedColumn[]): Promise<Profiled> {
  const counted = await database.row("SELECT count(*) AS rows FROM cells");
  const rows = Number(counted.rows);
  const table = { rows, exact: rows <= exactRows, label: columns.find(({ role }) => role === "Label") };
  const summary: Row = {};
  const profile: ColumnProfile[] = [];
  for await (const part of parts(database, columns, table)) {
    const ofPart = await summarize(database, part, table);
    profile.push(...(await profilePart(database, { ...part, ...table, summary: ofPart })));
    Object.assign(summary, ofPart);
  }
  const lacking = new Map(columns.map(({ cell }) => [cell, Number(summary[`${cell}_nulls`])]));
  const time = columns.find(({ role }) => role === "Timestamp");
  const newest = time && !time.sensitive && summary[`${time.cell}_high`];
  return {
    rows,
    profile,
    missing: await missingPatterns(database, columns, lacking),
    nulls: new Map(columns.map(({ name, cell }) => [name, Number(summary[`${cell}_raw_nulls`])])),
    // Parquet knows times that JavaScript has no dates for.
    ...(typeof newest === "number" && newest * 1000 <= lastDateMs ? { newest: newest * 1000 } : {}),
  };
}

/** What is said of a whole table. */
interface Table {
  rows: number;
  exact: boolean;
  label: TypedColumn | undefined;
}

/** Columns that are looked at together, and SQL for a relation that has them. */
interface Part {
  columns: readonly TypedColumn[];
  relation: string;
}

/**
 * A wide table in parts, each a table of its own while it is looked at: a query over one column of `cells` takes time for
 * all the others. With many rows that is little beside the work, and the copy would be large.
 */
async function* parts(
  database: Database,
  columns: readonly TypedColumn[],
  { exact, label }: Table,
): AsyncGenerator<Part> {
  if (columns.length <= partColumns || !exact) return yield { columns, relation: "cells" };
  for (const part of chunks(columns, partColumns)) {
    const cells = new Set([...part, ...(label ? [label] : [])].map(({ cell }) => cell));
    await database.run(`CREATE OR REPLACE TABLE part AS SELECT ${[...cells].join(", ")} FROM cells`);
    yield { columns: part, relation: "part" };
  }
  await database.run("DROP TABLE part");
}

async function profilePart(
  database: Database,
  { columns, relation, rows, exact, summary }: Part & Table & { summary: Row },
): Promise<ColumnProfile[]> {
  const some = Math.ceil(rows / sampleRows);
  const sample = exact ? relation : `(SELECT * FROM ${relation} WHERE hash(file, row) % ${some} = 0)`;
  const all = { ...summary, ...(await database.aggregate(columns.flatMap(quantileSql), sample)) };
  const profile: ColumnProfile[] = [];
  for (const column of columns) {
    const distinct = Number(all[`${column.cell}_distinct`]);
    const top = await countValues(database, column, { relation, exact, distinct, sample });
    const histogram = await histogramOf(database, column, { summary: all, relation });
    profile.push(columnProfile(column, { rows, exact, summary: all, top, histogram }));
  }
  return profile;
}

async function histogramOf(
  database: Database,
  column: TypedColumn,
  { summary, relation }: { summary: Row; relation: string },
): Promise<Histogram | undefined> {
  if (column.sensitive || !isOrdered(column)) return undefined;
  const [from, to] = isNumeric(column) ? ["min", "max"] : ["low", "high"];
  const [low, high] = [summary[`${column.cell}_${from}`], summary[`${column.cell}_${to}`]];
  if (low === null || high === null) return undefined;
  const edges = edgesOf(Number(low), Number(high));
  return edges && countBins(database, column, edges, relation);
}

/**
 * Counts, ranges, means and correlations. To leave out what is no finite number, or has no square, costs as much as all the
 * rest: it is done where the plain pass shows that a column has such values.
 */
async function summarize(database: Database, { columns, relation }: Part, { exact, label }: Table): Promise<Row> {
  const ask = (asked: readonly TypedColumn[], guarded: boolean) =>
    database.aggregate(
      asked.flatMap((column) => [...summarySql(column, { exact, guarded }), ...correlationSql(column, label, guarded)]),
      relation,
    );
  const plainly = await ask(columns, false).catch((error: unknown) => {
    if (/out of range/i.test(errorText(error))) return undefined;
    throw error;
  });
  if (!plainly) return ask(columns, true);
  const isTame = ({ cell, type }: TypedColumn) =>
    type !== "Double" ||
    [plainly[`${cell}_min`], plainly[`${cell}_max`]].every(
      (value) => value === null || Math.abs(Number(value)) < squarable,
    );
  const wild = label && !isTame(label) ? columns : columns.filter((column) => !isTame(column));
  return wild.length === 0 ? plainly : { ...plainly, ...(await ask(wild, true)) };
}

interface Asking {
  exact: boolean;
  /** Leaves out NaN, infinite and huge values. */
  guarded: boolean;
}

function summarySql(column: TypedColumn, { exact, guarded }: Asking): string[] {
  const { cell, type } = column;
  const [value, number] = guarded ? [valueSql(column), finiteSql(column)] : [cell, cell];
  const below = (limit: number) => (guarded ? ` FILTER (abs(${number}::DOUBLE) < ${limit})` : "");
  const shown = type === "Date" || type === "Timestamp" ? (sql: string) => `(${sql})::VARCHAR` : (sql: string) => sql;
  return [
    `count(*) - count(${cell}) AS ${cell}_raw_nulls`,
    `count(*) - count(${value}) AS ${cell}_nulls`,
    `${exact ? `count(DISTINCT ${value})` : `approx_count_distinct(${value})`} AS ${cell}_distinct`,
    `${shown(`min(${number})`)} AS ${cell}_min`,
    `${shown(`max(${number})`)} AS ${cell}_max`,
    ...(isOrdered(column) && !isNumeric(column)
      ? [`min(${numberSql(column)}) AS ${cell}_low`, `max(${numberSql(column)}) AS ${cell}_high`]
      : []),
    ...(isNumeric(column)
      ? [
          `avg(${number})${below(summable)} AS ${cell}_mean`,
          `stddev_samp(${number}::DOUBLE)${below(squarable)} AS ${cell}_stddev`,
        ]
      : []),
  ];
}

function quantileSql(column: TypedColumn): string[] {
  if (!isNumeric(column)) return [];
  return [`quantile_cont(${numberSql(column)}, [${probabilities.join(", ")}]) AS ${column.cell}_quantiles`];
}

/** Pearson's coefficient with the label, over rows that have both. */
function correlationSql(column: TypedColumn, label: TypedColumn | undefined, guarded: boolean): string[] {
  const usable = (candidate: TypedColumn) => isNumeric(candidate) || candidate.type === "Boolean";
  if (!label || label === column || !usable(label) || !usable(column)) return [];
  const number = (candidate: TypedColumn) => {
    if (candidate.type === "Boolean") return `${candidate.cell}::INTEGER::DOUBLE`;
    if (!guarded) return `${candidate.cell}::DOUBLE`;
    return `(CASE WHEN abs(${numberSql(candidate)}) < ${squarable} THEN ${numberSql(candidate)} END)`;
  };
  return [`corr(${number(column)}, ${number(label)}) AS ${column.cell}_correlation`];
}

interface Statistics {
  rows: number;
  exact: boolean;
  summary: Row;
  top: TopValues | undefined;
  histogram: Histogram | undefined;
}

/** Of sensitive columns only what tells no value. */
function columnProfile(column: TypedColumn, { rows, exact, summary, top, histogram }: Statistics): ColumnProfile {
  const { name, type, cell, sensitive } = column;
  const counts = {
    name,
    type,
    count: rows,
    nulls: Number(summary[`${cell}_nulls`]),
    distinct: top?.distinct ?? Number(summary[`${cell}_distinct`]),
    ...(exact ? {} : { approximate: true as const }),
  };
  if (sensitive) return counts;
  const min = plain(summary[`${cell}_min`]);
  const max = plain(summary[`${cell}_max`]);
  const huge = [min, max].some((value) => typeof value === "number" && Math.abs(value) >= squarable);
  const mean = huge ? undefined : number(summary[`${cell}_mean`]);
  const stddev = huge ? undefined : number(summary[`${cell}_stddev`]);
  const quantiles = summary[`${cell}_quantiles`] as number[] | null | undefined;
  const correlation = number(summary[`${cell}_correlation`]);
  return {
    ...counts,
    ...(min !== undefined ? { min } : {}),
    ...(max !== undefined ? { max } : {}),
    ...(mean !== undefined ? { mean } : {}),
    ...(stddev !== undefined ? { stddev } : {}),
    ...(quantiles
      ? { quantiles: Object.fromEntries(probabilities.map((p, index) => [`${p}`, quantiles[index] ?? 0])) }
      : {}),
    ...(histogram ? { histogram } : {}),
    ...(top ? { topValues: top.values } : {}),
    // Rounding may leave the range by a bit.
    ...(correlation !== undefined ? { correlation: Math.max(-1, Math.min(1, correlation)) } : {}),
  };
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function plain(value: unknown): number | string | boolean | undefined {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "string") return value.slice(0, 256);
  return typeof value === "boolean" ? value : number(value);
}
