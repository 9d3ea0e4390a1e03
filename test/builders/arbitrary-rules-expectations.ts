/** Of expectations: a check of one thing, with the limits that go with it. */
import { type Rules, same, without } from "./arbitrary-rule.ts";
import type { JsonObject } from "./arbitrary-schema.ts";

const subjects = ["column", "rows", "freshness", "sql"];
const columnChecks = ["in", "pattern", "unique", "maxNulls", "maxPsi"];

/** Of what it says about several subjects, that about one. */
function coherent({ unique, ...given }: JsonObject, coin: boolean): JsonObject {
  const all = { ...given, ...(unique ? { unique } : {}) };
  const there = subjects.filter((name) => name in all);
  const subject = (coin ? there[0] : there.at(-1)) ?? "column";
  const kept = without(all, ...subjects.filter((name) => name !== subject));
  if (subject === "column") return ofColumn({ column: "a", ...without(kept, "equals") });
  const plain = without(kept, ...columnChecks);
  if (subject !== "sql") return without(plain, "equals", "min", "max");
  return ["equals", "min", "max"].some((name) => name in plain) ? plain : { ...plain, equals: 0 };
}

const ofColumn = (value: JsonObject) =>
  ["min", "max", ...columnChecks].some((name) => name in value) ? value : { ...value, unique: true };

const bare = (value: JsonObject) => without(value, ...subjects, ...columnChecks, "min", "max", "equals");
const broken = (...parts: JsonObject[]) => ({
  keep: same,
  broken: (value: JsonObject) => parts.map((part) => ({ ...bare(value), ...part })),
});

export const expectations: Rules = [
  [
    /^give exactly one of column, rows, freshness and sql/,
    {
      ...broken({}, { column: "a", unique: true, rows: {} }, { sql: "SELECT 1", equals: 0, rows: {} }),
      keep: coherent,
    },
  ],
  [/^column needs at least one of/, broken({ column: "a" })],
  [/^in, pattern, unique, maxNulls and maxPsi go with/, broken({ rows: {}, in: [1] }, { rows: {}, maxPsi: 1 })],
  [/^min and max go with column or sql/, broken({ rows: {}, min: 1 }, { rows: {}, max: 1 })],
  [/^sql needs equals, min or max/, broken({ sql: "SELECT 1" }, { column: "a", unique: true, equals: 1 })],
];
