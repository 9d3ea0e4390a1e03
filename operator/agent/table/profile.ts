import type { ColumnProfile } from "../../store/api.ts";
import type { Database, Row } from "./database.ts";
import { countValues, type TopValues } from "./top-values.ts";
import type { TypedColumn } from "./typed.ts";

const probabilities = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const bins = 20;
/** Beyond this many rows, distinct counts and quantiles are estimates. */
const exactRows = 1_000_000;
/** Squares of larger numbers leave the range of a double. */
const squarable = 1e150;

export interface Profiled {
  profile: ColumnProfile[];
  /** Columns that have a null. */
  nullable: ReadonlySet<string>;
}

/**
 * Statistics of the table `data`, over all its rows. `count` counts rows, nulls included. NaN counts as null, as in pandas;
 * infinite values count as values, and are left out of every number.
 */
export async function profileTable(database: Database, columns: readonly TypedColumn[]): Promise<Profiled> {
  const { rows } = await database.row("SELECT count(*) AS rows FROM data");
  const exact = Number(rows) <= exactRows;
  const summary = await database.aggregate(
    columns.flatMap((column) => summarySql(column, exact)),
    "data",
  );
  const histograms = await binColumns(database, columns, summary);
  const profile: ColumnProfile[] = [];
  for (const column of columns) {
    const top = await countValues(database, column, exact);
    profile.push(columnProfile(column, { rows: Number(rows), summary, top, histogram: histograms.get(column.cell) }));
  }
  const nullable = new Set(
    columns.filter(({ cell }) => Number(summary[`${cell}_raw_nulls`]) > 0).map(({ name }) => name),
  );
  return { profile, nullable };
}

function isNumeric({ type }: TypedColumn): boolean {
  return type === "Int64" || type === "Double";
}

/** SQL: the value, null where it is no finite number. */
function finite({ cell, type }: TypedColumn): string {
  return type === "Double" ? `(CASE WHEN isfinite(${cell}) THEN ${cell} END)` : cell;
}

/** SQL: the value, null where it is NaN. */
function value({ cell, type }: TypedColumn): string {
  return type === "Double" ? `(CASE WHEN NOT isnan(${cell}) THEN ${cell} END)` : cell;
}

function summarySql(column: TypedColumn, exact: boolean): string[] {
  const { cell, type } = column;
  const number = finite(column);
  const shown = type === "Date" || type === "Timestamp" ? (sql: string) => `(${sql})::VARCHAR` : (sql: string) => sql;
  const distinct = exact ? `count(DISTINCT ${value(column)})` : `approx_count_distinct(${value(column)})`;
  const quantile = exact ? "quantile_cont" : "approx_quantile";
  return [
    `count(*) - count(${cell}) AS ${cell}_raw_nulls`,
    `count(*) - count(${value(column)}) AS ${cell}_nulls`,
    `${distinct} AS ${cell}_distinct`,
    `${shown(`min(${number})`)} AS ${cell}_min`,
    `${shown(`max(${number})`)} AS ${cell}_max`,
    ...(isNumeric(column)
      ? [
          `avg(${number}) FILTER (abs(${number}::DOUBLE) < 1e300) AS ${cell}_mean`,
          `stddev_samp(${number}::DOUBLE) FILTER (abs(${number}::DOUBLE) < ${squarable}) AS ${cell}_stddev`,
          `${quantile}(${number}::DOUBLE, [${probabilities.join(", ")}]) AS ${cell}_quantiles`,
        ]
      : []),
  ];
}

/** Counts of 20 equal-width bins for each numeric column that has more than one value, in one pass. */
async function binColumns(
  database: Database,
  columns: readonly TypedColumn[],
  summary: Row,
): Promise<Map<string, NonNullable<ColumnProfile["histogram"]>>> {
  const histograms = new Map<string, NonNullable<ColumnProfile["histogram"]>>();
  const counters: { cell: string; sql: string }[] = [];
  for (const column of columns) {
    const { cell } = column;
    if (!isNumeric(column) || summary[`${cell}_min`] === null) continue;
    const min = Number(summary[`${cell}_min`]);
    const max = Number(summary[`${cell}_max`]);
    const width = (max - min) / bins;
    if (width === 0) {
      histograms.set(cell, { edges: [min, max], counts: [0] });
      counters.push({ cell, sql: `histogram(CASE WHEN ${finite(column)} IS NOT NULL THEN 0 END)` });
    } else if (Number.isFinite(width) && width > Number.MIN_VALUE) {
      const edges = Array.from({ length: bins + 1 }, (_, bin) => (bin === bins ? max : min + bin * width));
      histograms.set(cell, { edges, counts: new Array<number>(bins).fill(0) });
      const bin = `least(floor((${finite(column)}::DOUBLE - ${double(min)}) / ${double(width)}), ${bins - 1})::INTEGER`;
      counters.push({ cell, sql: `histogram(${bin})` });
    }
  }
  if (counters.length === 0) return histograms;
  const counted = await database.aggregate(
    counters.map(({ cell, sql }) => `map_entries(${sql}) AS ${cell}`),
    "data",
  );
  for (const { cell } of counters) {
    const counts = histograms.get(cell)?.counts ?? [];
    for (const { key, value } of counted[cell] as { key: number; value: bigint }[]) counts[key] = Number(value);
  }
  return histograms;
}

/** A number as SQL writes it, to the last bit. */
function double(number: number): string {
  return `'${number}'::DOUBLE`;
}

interface Statistics {
  rows: number;
  summary: Row;
  top: TopValues | undefined;
  histogram: ColumnProfile["histogram"];
}

function columnProfile(column: TypedColumn, { rows, summary, top, histogram }: Statistics): ColumnProfile {
  const { name, type, cell } = column;
  const min = plain(summary[`${cell}_min`]);
  const max = plain(summary[`${cell}_max`]);
  const mean = number(summary[`${cell}_mean`]);
  const stddev = number(summary[`${cell}_stddev`]);
  const quantiles = summary[`${cell}_quantiles`] as number[] | null | undefined;
  const huge = [min, max].some((value) => typeof value === "number" && Math.abs(value) >= squarable);
  return {
    name,
    type,
    count: rows,
    nulls: Number(summary[`${cell}_nulls`]),
    distinct: top?.distinct ?? Number(summary[`${cell}_distinct`]),
    ...(min !== undefined ? { min } : {}),
    ...(max !== undefined ? { max } : {}),
    ...(mean !== undefined && !huge ? { mean } : {}),
    ...(stddev !== undefined && !huge ? { stddev } : {}),
    ...(quantiles
      ? { quantiles: Object.fromEntries(probabilities.map((p, index) => [`${p}`, quantiles[index] ?? 0])) }
      : {}),
    ...(histogram ? { histogram } : {}),
    ...(top ? { topValues: top.values } : {}),
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
