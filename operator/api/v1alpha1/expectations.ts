/** Data quality: what must hold of the data before it becomes a version. */
import { z } from "zod";
import { type CelRule, cel, dnsName, duration } from "./common.ts";

const columnChecks = ["min", "max", "in", "pattern", "unique", "maxNulls", "maxPsi"] as const;
const share = z.number().min(0).max(1);
const scalar = z.union([z.int(), z.string().max(256)]).meta({ "x-kubernetes-int-or-string": true, maxLength: 256 });

const rows = z.strictObject({
  min: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional().describe("The least number of rows."),
  max: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional().describe("The greatest number of rows."),
  maxDecrease: share
    .optional()
    .describe(
      "The greatest share of the current version's rows that may be lacking, such as 0.2. Holds while there is no version.",
    ),
});

const fields = z.strictObject({
  name: dnsName.describe("The expectation's name, in status and metrics."),
  column: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe("The column whose values are checked. Nulls are left out, but for maxNulls."),
  min: z.number().optional().describe("The least value of the column, or of what sql returns."),
  max: z.number().optional().describe("The greatest value of the column, or of what sql returns."),
  in: z
    .array(scalar)
    .min(1)
    .max(256)
    .meta({ "x-kubernetes-list-type": "atomic" })
    .optional()
    .describe("The values that the column may have, compared as text."),
  pattern: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .describe("A regular expression (RE2) that each whole value of the column, as text, must match."),
  unique: z.literal(true).optional().describe("True: no value of the column comes twice."),
  maxNulls: share.optional().describe("The greatest share of rows in which the column is null, such as 0.01."),
  maxPsi: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe(
      "The greatest drift of the column against the current version, as the population stability index over the current version's bins; 0.1 is little, 0.25 is much. Holds while there is no version; of a sensitive column nobody can tell it, so it never holds.",
    ),
  rows: rows.optional().describe("How many rows the data may have."),
  freshness: z
    .strictObject({
      maxAge: duration.describe(
        "The greatest age of the newest value, such as 24h. It is checked again as time goes by.",
      ),
    })
    .optional()
    .describe("How old the newest value of the column with the role Timestamp may be."),
  sql: z
    .string()
    .min(1)
    .max(16384)
    .optional()
    .describe("A SELECT that returns one number about the table data, in DuckDB's SQL; with equals, min or max."),
  equals: z.number().optional().describe("The number that sql must return."),
  onViolation: z
    .enum(["Block", "Warn"])
    .optional()
    .describe(
      "Block: data that breaks it makes no version, and the last good one stays current. Warn: it does, and the status says so. Default: Block.",
    ),
});
export type Expectation = z.output<typeof fields>;

const has = (value: Expectation, ...names: (keyof Expectation)[]) =>
  names.filter((name) => value[name] !== undefined).length;

const rules: CelRule<Expectation>[] = [
  {
    rule: "[has(self.column), has(self.rows), has(self.freshness), has(self.sql)].filter(x, x).size() == 1",
    message: "give exactly one of column, rows, freshness and sql",
    check: (value) => has(value, "column", "rows", "freshness", "sql") === 1,
  },
  {
    rule: `!has(self.column) || ${columnChecks.map((name) => `has(self.${name === "in" ? "__in__" : name})`).join(" || ")}`,
    message: `column needs at least one of ${columnChecks.join(", ")}`,
    check: (value) => value.column === undefined || has(value, ...columnChecks) > 0,
  },
  {
    rule: "has(self.column) || !(has(self.__in__) || has(self.pattern) || has(self.unique) || has(self.maxNulls) || has(self.maxPsi))",
    message: "in, pattern, unique, maxNulls and maxPsi go with column",
    check: (value) => value.column !== undefined || has(value, "in", "pattern", "unique", "maxNulls", "maxPsi") === 0,
  },
  {
    rule: "has(self.column) || has(self.sql) || !(has(self.min) || has(self.max))",
    message: "min and max go with column or sql; for rows they stand under rows",
    check: (value) => has(value, "column", "sql") > 0 || has(value, "min", "max") === 0,
  },
  {
    rule: "has(self.sql) ? has(self.equals) || has(self.min) || has(self.max) : !has(self.equals)",
    message: "sql needs equals, min or max, and equals goes with sql only",
    check: (value) => (value.sql === undefined ? value.equals === undefined : has(value, "equals", "min", "max") > 0),
  },
  {
    rule: "!has(self.min) || !has(self.max) || self.min <= self.max",
    message: "min must not be greater than max",
    check: ({ min, max }) => min === undefined || max === undefined || min <= max,
  },
];

export const expectation = rules.reduce(cel, fields);
