import { literal } from "./database.ts";
import type { RawColumn } from "./raw.ts";

export interface SplitRule {
  /** In order; empty: every row is in `all`. */
  splits: readonly { name: string; percent: number }[];
  seed: number;
}

/** The names of the folders that a rule makes. */
export function splitNames({ splits }: SplitRule): string[] {
  return splits.length > 0 ? splits.map(({ name }) => name) : ["all"];
}

/**
 * SQL: the rows of a relation with the number of their split as last column. It depends on the seed and the row's cells
 * alone, so rows that are added move no old one, and identical rows stay together: the first 32 bits of the md5 of the
 * cells, as a percentage. Cells are taken by column name, and a null adds nothing: neither another order of columns nor a
 * new column without values counts.
 */
export function withSplit(columns: readonly RawColumn[], { splits, seed }: SplitRule, relation: string): string {
  const cells = columns.map(({ cell }) => cell).join(", ");
  if (splits.length < 2) return `SELECT ${cells}, 0 FROM ${relation}`;
  const parts = [...columns]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      ({ name, cell }) =>
        `CASE WHEN ${cell} IS NOT NULL THEN ${literal(name)} || chr(31) || ${cell}::VARCHAR || chr(30) END`,
    );
  // concat skips nulls.
  const key = `concat(${literal(`${seed}`)}, chr(30), ${parts.join(", ")})`;
  const percent = `('0x' || substr(md5(${key}), 1, 8))::UINTEGER::DOUBLE / 4294967296 * 100`;
  let bound = 0;
  const cases = splits.slice(0, -1).map(({ percent: share }, index) => {
    bound += share;
    return `WHEN percent < ${bound} THEN ${index}`;
  });
  // No subquery as an expression: DuckDB would plan a join, which loses the order of the rows.
  return `SELECT ${cells}, CASE ${cases.join(" ")} ELSE ${splits.length - 1} END FROM (SELECT *, ${percent} AS percent FROM ${relation})`;
}
