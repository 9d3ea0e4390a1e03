import type { z } from "zod";
import type { missingPattern } from "../../store/api.ts";
import type { Database } from "./database.ts";
import { valueSql } from "./numbers.ts";
import type { TypedColumn } from "./typed.ts";

export type MissingPattern = z.infer<typeof missingPattern>;

const patternLimit = 20;
/** As many as a mask has bits. */
const columnLimit = 60;

/** Which columns are null together, and in how many rows, most frequent first; of the columns with the most nulls. */
export async function missingPatterns(
  database: Database,
  columns: readonly TypedColumn[],
  nulls: ReadonlyMap<string, number>,
): Promise<MissingPattern[]> {
  const lacking = columns
    .filter(({ cell }) => (nulls.get(cell) ?? 0) > 0)
    .sort((a, b) => (nulls.get(b.cell) ?? 0) - (nulls.get(a.cell) ?? 0))
    .slice(0, columnLimit);
  if (lacking.length === 0) return [];
  const bits = lacking.map((column, bit) => `(${valueSql(column)} IS NULL)::BIGINT * ${2 ** bit}`);
  const rows = await database.rows(
    `SELECT mask, n FROM (SELECT ${bits.join(" + ")} AS mask, count(*) AS n FROM cells GROUP BY mask)
       WHERE mask > 0 ORDER BY n DESC, mask LIMIT ${patternLimit}`,
  );
  return rows.map(({ mask, n }) => ({
    columns: lacking.filter((_, bit) => (BigInt(mask as bigint) >> BigInt(bit)) & 1n).map(({ name }) => name),
    rows: Number(n),
  }));
}
