import { createHash } from "node:crypto";
import type { SplitRule } from "../tasks.ts";
import { literal } from "./database.ts";
import type { RawColumn } from "./raw.ts";

/** The names of the folders that a rule makes. */
export function splitNames(rule: SplitRule | undefined): string[] {
  if (!rule) return ["all"];
  return ("shares" in rule ? rule.shares : rule.times).map(({ name }) => name);
}

/**
 * SQL: the number of a row's split. By shares it depends on the seed and the row's cells alone (or one of them), so rows
 * that are added move no old one, and identical rows stay together. Cells are taken by column name, and a null adds
 * nothing: neither another order of columns nor a new column without values counts. By times, a row without a time is in
 * the first split. `time` is SQL for the row's time.
 */
export function splitSql(rule: SplitRule, columns: readonly RawColumn[], time: string | undefined): string {
  if ("times" in rule) {
    const cases = rule.times.slice(1).map(({ from }, index) => `WHEN ${time} < ${instant(from ?? "")} THEN ${index}`);
    return `CASE WHEN ${time} IS NULL THEN 0 ${cases.join(" ")} ELSE ${rule.times.length - 1} END`;
  }
  const { shares, seed, by } = rule;
  if (shares.length < 2) return "0";
  const parts = columns
    .filter(({ name }) => by === undefined || name === by)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, cell }) => [
      `CASE WHEN ${cell} IS NOT NULL THEN ${literal(`\u001e${name}\u001f`)} END`,
      `${cell}::VARCHAR`,
    ]);
  // concat skips nulls. One call of many parts costs a third of many of a few.
  const key = `concat(${literal(`${seed}`)}, ${parts.join(", ")}, chr(30))`;
  // The first 32 bits of the md5, as a whole percentage, look up the split's digit: worked out once a row.
  const percent = `(('0x' || substr(md5(${key}), 1, 8))::UBIGINT * 100 // 4294967296)`;
  const digits = Array.from({ length: 100 }, (_, percentage) => shareAt(shares, percentage));
  return `substr('${digits.join("")}', ${percent}::INTEGER + 1, 1)::UTINYINT`;
}

/** The number of a file's split, by its path. */
export function pathSplit({ shares, seed }: Extract<SplitRule, { shares: unknown }>, path: string): number {
  const hash = createHash("md5").update(`${seed}\u001e${path}`).digest().readUInt32BE(0);
  return shareAt(shares, (hash / 2 ** 32) * 100);
}

function shareAt(shares: readonly { percent: number }[], percentage: number): number {
  let bound = 0;
  for (const [index, { percent }] of shares.entries()) {
    bound += percent;
    if (percentage < bound) return index;
  }
  return shares.length - 1;
}

function instant(from: string): string {
  return `TIMESTAMP ${literal(from.replace("T", " ").replace("Z", ""))}`;
}
