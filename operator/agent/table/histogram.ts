import type { ColumnProfile } from "../../store/api.ts";
import type { Database } from "./database.ts";
import { doubleSql, numberSql } from "./numbers.ts";
import type { TypedColumn } from "./typed.ts";

export type Histogram = NonNullable<ColumnProfile["histogram"]>;

const bins = 20;

/** The edges of 20 bins of equal width; none where they can't be told apart. */
export function edgesOf(min: number, max: number): number[] | undefined {
  if (min === max) return [min, max];
  const width = (max - min) / bins;
  if (!Number.isFinite(width) || width <= Number.MIN_VALUE) return undefined;
  return Array.from({ length: bins + 1 }, (_, bin) => (bin === bins ? max : min + bin * width));
}

/**
 * How many values lie in each bin of equal width; values outside are counted in the outermost bins, so that two versions
 * can be compared over the bins of one.
 */
export async function countBins(
  database: Database,
  column: TypedColumn,
  edges: readonly number[],
  relation: string,
): Promise<Histogram> {
  const last = edges.length - 2;
  const [min = 0, max = 0] = [edges[0], edges.at(-1)];
  const counts = new Array<number>(last + 1).fill(0);
  const number = numberSql(column);
  const place = `floor((${number} - ${doubleSql(min)}) / ${doubleSql((max - min) / (last + 1))})`;
  const bin = min === max ? "0" : `greatest(0, least(${place}, ${last}))`;
  const rows = await database.rows(
    `SELECT bin, count(*) AS n FROM (SELECT ${bin}::UTINYINT AS bin FROM ${relation} WHERE ${number} IS NOT NULL) GROUP BY bin`,
  );
  for (const { bin, n } of rows) counts[Number(bin)] = Number(n);
  return { edges: [...edges], counts };
}
