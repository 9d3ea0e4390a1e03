import { accept, type Case, refuse } from "./case.ts";

const timestamp = { columns: [{ name: "at", role: "Timestamp" }] };
const of = (expectation: object, spec: object = {}) => ({
  source: { uri: "http://host/wine.csv" },
  expectations: [{ name: "e", ...expectation }],
  ...spec,
});
const good = (title: string, expectation: object, spec?: object) =>
  accept("Dataset", `an expectation of ${title}`, of(expectation, spec));
const bad = (title: string, expectation: object, refused: RegExp) =>
  refuse("Dataset", `an expectation of ${title}`, of(expectation), refused);

const subject = /expectations.*exactly one of column, rows, freshness and sql/s;
const withColumn = /expectations.*in, pattern, unique, maxNulls and maxPsi go with column/s;
const misplaced = /expectations.*min and max go with column or sql/s;
const compared = /expectations.*sql needs equals, min or max/s;

export const expectations: Case[] = [
  good("a range", { column: "alcohol", min: 8, max: 16.5, onViolation: "Warn" }),
  good("a set of texts and numbers", { column: "class", in: [0, 1, "two"] }),
  good("a pattern", { column: "id", pattern: "[a-z]+" }),
  good("unique values", { column: "id", unique: true }),
  good("few nulls", { column: "a", maxNulls: 0.01 }),
  good("little drift", { column: "a", maxPsi: 0.2 }),
  good("many rows", { rows: { min: 100, max: 1000000, maxDecrease: 0.2 } }),
  good("fresh rows", { freshness: { maxAge: "1h30m" } }, { schema: timestamp }),
  good("sql that equals", { sql: "SELECT count(*) FROM data", equals: 0 }),
  good("sql within a range", { sql: "SELECT 1", min: 0, max: 2 }),
  bad("nothing", {}, subject),
  bad("a column and rows", { column: "a", unique: true, rows: { min: 1 } }, subject),
  bad("a column and sql", { column: "a", min: 1, sql: "SELECT 1" }, subject),
  bad("a column alone", { column: "a" }, /expectations.*column needs at least one of min, max, in, pattern/s),
  ...[{ in: [1] }, { pattern: "a" }, { unique: true }, { maxNulls: 0 }, { maxPsi: 1 }].map((check) =>
    bad(`rows with ${Object.keys(check)[0]}`, { rows: { min: 1 }, ...check }, withColumn),
  ),
  bad("rows with min beside them", { rows: {}, min: 1 }, misplaced),
  bad("freshness with max", { freshness: { maxAge: "1h" }, max: 1 }, misplaced),
  bad("sql alone", { sql: "SELECT 1" }, compared),
  bad("a column that equals", { column: "a", min: 0, equals: 1 }, compared),
  bad("min above max", { column: "a", min: 2, max: 1 }, /expectations.*min must not be greater/s),
  bad("values that repeat", { column: "a", unique: false }, /expectations.*unique/s),
  bad("more nulls than rows", { column: "a", maxNulls: 1.1 }, /expectations.*maxNulls/s),
  bad("a bound in quotes", { column: "a", min: "1" }, /expectations.*min/s),
  bad("an empty set", { column: "a", in: [] }, /expectations.*in/s),
  bad("a fraction in a set", { column: "a", in: [1.5] }, /expectations.*in/s),
  bad("an age without a unit", { freshness: { maxAge: "24" } }, /expectations.*maxAge/s),
  bad("fresh rows without a time", { freshness: { maxAge: "1d" } }, /freshness needs a column with the role Timestamp/),
  bad("another consequence", { rows: { min: 1 }, onViolation: "Ignore" }, /expectations.*onViolation/s),
  refuse("Dataset", "no expectations", of({}, { expectations: [] }), /expectations/),
  refuse(
    "Dataset",
    "an expectation with a capital in its name",
    of({}, { expectations: [{ name: "Rows", rows: { min: 1 } }] }),
    /expectations.*name/s,
  ),
];
