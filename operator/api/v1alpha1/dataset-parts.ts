/**
 * What a Dataset's spec is made of. Items of lists have no defaults: the API server would write them into the manifest, and
 * Argo CD, which compares lists whole, would see a difference for ever.
 */
import { z } from "zod";
import { type CelRule, cel, dnsName, duration, listMap, namedMap, objectName, resources } from "./common.ts";

const column = z.strictObject({
  name: z.string().min(1).max(256).describe("The column's name, as in the data's header."),
  type: z
    .enum(["Boolean", "Int64", "Double", "String", "Date", "Timestamp"])
    .optional()
    .describe("The type that every value must have. Default: inferred from the data."),
  nullable: z.boolean().optional().describe("False: every row must have a value. Default: true."),
  role: z
    .enum(["Label", "Key", "Timestamp", "Weight"])
    .optional()
    .describe(
      "Label: what models predict. Key: with other keys it names what the row is about. Timestamp: when the row became known. Weight: how much the row counts, for your training code; metrics of evaluations are not weighted. Only columns without a role and with the role Label reach a model in its evaluation.",
    ),
  sensitive: z
    .boolean()
    .optional()
    .describe("True: no value of it is in the profile, in status, in messages or in logs. Default: false."),
});

const roles = (value: readonly { role?: string | undefined }[], role: string) =>
  value.filter((c) => c.role === role).length;
const onlyOne = (role: string): CelRule<readonly { role?: string | undefined }[]> => ({
  rule: `self.filter(c, has(c.role) && c.role == '${role}').size() <= 1`,
  message: `at most one column has the role ${role}`,
  check: (value) => roles(value, role) <= 1,
});

export const columns = ["Label", "Timestamp", "Weight"]
  .map(onlyOne)
  .reduce((schema, rule) => cel(schema, rule), listMap(z.array(column).min(1).max(1000), ["name"]));

export const csv = z.strictObject({
  delimiter: z
    .string()
    .min(1)
    .max(1)
    .optional()
    .describe("The character between cells. Default: detected among , ; | and tab."),
  quote: z.string().min(1).max(1).optional().describe('The character around cells. Default: ".'),
  header: z
    .boolean()
    .default(true)
    .describe("False: the first line is data, and columns are named column0, column1, …. Default: true."),
  nullValues: z
    .array(z.string().max(64))
    .min(1)
    .max(16)
    .meta({ "x-kubernetes-list-type": "atomic" })
    .optional()
    .describe("Unquoted cells that are null. Default: the empty cell."),
});

const shares = cel(namedMap(z.int().min(1).max(100), 8), {
  rule: "self.map(name, self[name]).sum() == 100",
  message: "the percentages must add up to 100",
  check: (value) => Object.values(value).reduce((sum, percent) => sum + percent, 0) === 100,
});
export const splits = cel(shares, {
  rule: "!('all' in self)",
  message: "no split may be called all, which means every row",
  check: (value) => !("all" in value),
});

/** An instant, or a day, which is its first instant in UTC. */
const instant = z
  .string()
  .max(32)
  .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$/);

const starts = listMap(
  z
    .array(
      z.strictObject({
        name: dnsName.describe("The split's name."),
        from: instant
          .optional()
          .describe(
            "The first instant of the split, in UTC, such as 2026-01-01 or 2026-01-01T06:00:00Z; it ends where the next begins. Only the first split has none.",
          ),
      }),
    )
    .min(2)
    .max(8),
  ["name"],
);
const startRules: CelRule<readonly { name: string; from?: string | undefined }[]>[] = [
  {
    rule: "self.all(split, split.name != 'all')",
    message: "no split by time may be called all, which means every row",
    check: (value) => value.every(({ name }) => name !== "all"),
  },
  {
    rule: "!has(self[0].from) && self.filter(s, has(s.from)).size() == size(self) - 1",
    message: "the first split has no from, and each other one has",
    check: (value) => value.every(({ from }, index) => (from === undefined) === (index === 0)),
  },
  {
    // The notation is one that sorts as time does. isSorted() costs more than the API server allows.
    rule: [1, 2, 3, 4, 5, 6]
      .map((at) => `(size(self) < ${at + 2} || self[${at}].from < self[${at + 1}].from)`)
      .join(" && "),
    message: "splits must be listed in the order of time",
    check: (value) => {
      const times = value.flatMap(({ from }) => from ?? []);
      return times.every((time, index) => index === 0 || (times[index - 1] as string) < time);
    },
  },
];
export const timeSplits = startRules.reduce(cel, starts);

export const from = listMap(
  z
    .array(
      z.strictObject({
        name: z
          .string()
          .min(1)
          .max(63)
          .regex(/^[a-z_][a-z0-9_]*$/)
          .describe("The table's name in transform.sql."),
        datasetRef: z
          .strictObject({
            name: objectName.describe("The Dataset, in this namespace."),
            split: dnsName
              .optional()
              .describe(
                "One split of it; all: every row, with those that are held out. Default: train where it has such a split, all rows where it has no splits; others must be named.",
              ),
          })
          .describe("The Dataset whose current version is read."),
      }),
    )
    .min(1)
    .max(16),
  ["name"],
);

const pointInTime = z.strictObject({
  rows: z
    .string()
    .max(63)
    .describe("The name in from of the table whose rows are kept; it needs columns with the roles Key and Timestamp."),
  features: z
    .array(z.string().max(63))
    .min(1)
    .max(15)
    .meta({ "x-kubernetes-list-type": "set" })
    .describe(
      "Names in from. Each adds its columns from the newest row that has the same keys and is not newer than the row it is added to; null where there is none. Columns that come twice are named <table>_<column>.",
    ),
  maxAge: duration.optional().describe("How much older a feature may be, such as 30d. Default: no limit."),
});

export const transform = cel(
  z.strictObject({
    sql: z
      .string()
      .min(1)
      .max(65536)
      .optional()
      .describe(
        "A SELECT over the tables in from, and over joined where pointInTime is given, in DuckDB's SQL. Default: SELECT * FROM joined.",
      ),
    pointInTime: pointInTime
      .optional()
      .describe(
        "Makes the table joined: rows with the features as they were known at each row's time, without any from its future.",
      ),
  }),
  {
    rule: "has(self.sql) || has(self.pointInTime)",
    message: "give sql, pointInTime or both",
    check: (value) => value.sql !== undefined || value.pointInTime !== undefined,
  },
);

export const online = z.strictObject({
  keys: z
    .array(z.string().min(1).max(256))
    .min(1)
    .max(8)
    .meta({ "x-kubernetes-list-type": "atomic" })
    .optional()
    .describe("The columns to look up by. Default: those with the role Key."),
  replicas: z.int().min(1).max(100).default(1).describe("How many pods serve. Default: 1."),
  resources: resources
    .optional()
    .describe("CPU and memory of each. Default: requests of 100m and 256Mi, a limit of 2Gi."),
});

export const webhook = z.strictObject({
  tokenSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe(
      "The sha256, in hex, of the token that callers send as Authorization: Bearer. POST /refresh/<namespace>/<name> at the operator's Service then looks at the source.",
    ),
});
