import { z } from "zod";
import { type CelRule, cel, listMap, type ObjectMeta, resources } from "./common.ts";
import { columns, csv, from, online, splits, timeSplits, transform, webhook } from "./dataset-parts.ts";
import { type DatasetStatus, datasetStatus } from "./dataset-status.ts";
import { expectation } from "./expectations.ts";
import { ageColumn, type KindDefinition, readyColumn, reasonColumn } from "./kind.ts";
import { source } from "./location.ts";

const spec = z.strictObject({
  description: z.string().max(1024).optional().describe("What the data is, for people."),
  source: source.optional().describe("Where the data is read from."),
  from: from
    .optional()
    .describe("Datasets that this one is derived from; a new version of one makes a new version of this."),
  transform: transform.optional().describe("How it is derived."),
  format: z
    .enum(["CSV", "Parquet", "JSONL", "Files"])
    .optional()
    .describe(
      "How the files are written. Files: anything, such as images; a list of files and no table. Default: CSV; Parquet for a Dataset with from.",
    ),
  csv: csv.optional().describe("The dialect, where it is not the usual one. Only with format CSV and a source."),
  storage: z
    .enum(["Copy", "Reference"])
    .default("Copy")
    .describe(
      "Copy: versions are copied into the store. Reference: the source's own object versions are pinned, and read from there. Default: Copy.",
    ),
  schedule: z
    .string()
    .min(9)
    .max(128)
    .regex(/^[0-9A-Za-z*/,-]+( [0-9A-Za-z*/,-]+){4}$/)
    .optional()
    .describe(
      'When to look at the source again, as five cron fields in UTC, such as "*/15 * * * *". Default: only when the spec or the annotation lemnis.dev/refresh changes, or the webhook is called.',
    ),
  webhook: webhook.optional().describe("Lets an HTTP call ask for a look at the source. Default: none does."),
  schema: z
    .strictObject({
      columns: columns.describe("Columns that must be there. Columns that are not listed are inferred."),
    })
    .optional()
    .describe("The contract that the data keeps; data that breaks it makes no version. Default: inferred."),
  expectations: listMap(z.array(expectation).min(1).max(64), ["name"])
    .optional()
    .describe("What must hold of the data's values before it becomes a version. Default: nothing."),
  splits: splits
    .optional()
    .describe(
      "Percent of the rows by split, such as {train: 80, test: 20}. A row's split is drawn from its content and splitSeed, so it stays when rows are added. Default: no splits.",
    ),
  splitBy: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe(
      "A column: rows with the same value of it go to the same split. Only with splits. Default: the whole row.",
    ),
  timeSplits: timeSplits
    .optional()
    .describe("Splits by the column with the role Timestamp, in the order of time, instead of splits. Default: none."),
  splitSeed: z.int().min(0).max(2147483647).default(0).describe("Another seed draws other splits. Default: 0."),
  online: online.optional().describe("Serves the newest row by key over HTTP. Default: it is not served."),
  resources: resources
    .optional()
    .describe("CPU and memory of the pod that reads. Default: requests of 100m and 256Mi, a limit of 2Gi."),
  retain: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe("How many versions to keep. Versions that something was made from are kept beside them. Default: 10."),
});
type Spec = z.output<typeof spec>;

const given = (value: unknown) => value !== undefined;
const hasRole = ({ schema }: Spec, role: string) => schema?.columns.some((column) => column.role === role) ?? false;

const rules: CelRule<Spec>[] = [
  {
    rule: "has(self.source) != has(self.from)",
    message: "give exactly one of source and from",
    check: ({ source, from }) => given(source) !== given(from),
  },
  {
    rule: "has(self.from) == has(self.transform)",
    message: "from and transform go together",
    check: ({ from, transform }) => given(from) === given(transform),
  },
  {
    rule: "!has(self.from) || !has(self.format) || self.format == 'Parquet'",
    message: "a Dataset with from is written as Parquet: leave format out",
    check: ({ from, format }) => !given(from) || format === undefined || format === "Parquet",
  },
  {
    rule: "!has(self.from) || !(has(self.schedule) || has(self.webhook) || self.storage == 'Reference')",
    message: "schedule, webhook and storage: Reference go with source; a derived Dataset follows those in from",
    check: ({ from, schedule, webhook, storage }) =>
      !given(from) || !(given(schedule) || given(webhook) || storage === "Reference"),
  },
  {
    rule: "!has(self.csv) || (has(self.source) && (!has(self.format) || self.format == 'CSV'))",
    message: "csv goes with a source in the format CSV",
    check: ({ csv, source, format }) => !given(csv) || (given(source) && (format === undefined || format === "CSV")),
  },
  {
    rule: "!has(self.format) || self.format != 'Files' || !(has(self.schema) || has(self.expectations) || has(self.online) || has(self.splitBy) || has(self.timeSplits))",
    message: "the format Files has no table: schema, expectations, online, splitBy and timeSplits don't go with it",
    check: ({ format, schema, expectations, online, splitBy, timeSplits }) =>
      format !== "Files" || ![schema, expectations, online, splitBy, timeSplits].some(given),
  },
  {
    rule: "self.storage != 'Reference' || (has(self.format) && self.format == 'Files') || !(has(self.splits) || has(self.timeSplits))",
    message: "with storage: Reference only the format Files can be split: rows are split by writing them anew",
    check: ({ storage, format, splits, timeSplits }) =>
      storage !== "Reference" || format === "Files" || ![splits, timeSplits].some(given),
  },
  {
    rule: "self.storage != 'Reference' || !has(self.source) || !self.source.uri.matches('^(postgres|configmap)://')",
    message: "storage: Reference does not go with postgres:// and configmap://, which keep no versions",
    check: ({ storage, source }) => storage !== "Reference" || !/^(postgres|configmap):\/\//.test(source?.uri ?? ""),
  },
  {
    rule: "!has(self.source) || !self.source.uri.startsWith('postgres://') || !(has(self.csv) || (has(self.format) && self.format != 'CSV'))",
    message: "the rows of a postgres:// source are written as CSV of our own: leave format and csv out",
    check: ({ source, format, csv }) =>
      !source?.uri.startsWith("postgres://") || !(given(csv) || (given(format) && format !== "CSV")),
  },
  {
    rule: "!(has(self.splits) && has(self.timeSplits))",
    message: "give splits or timeSplits, not both",
    check: ({ splits, timeSplits }) => !(given(splits) && given(timeSplits)),
  },
  {
    rule: "!has(self.splitBy) || has(self.splits)",
    message: "splitBy goes with splits",
    check: ({ splitBy, splits }) => !given(splitBy) || given(splits),
  },
  {
    rule: "!has(self.timeSplits) || (has(self.schema) && self.schema.columns.exists(c, has(c.role) && c.role == 'Timestamp'))",
    message: "timeSplits needs a column with the role Timestamp in schema.columns",
    check: (value) => !given(value.timeSplits) || hasRole(value, "Timestamp"),
  },
  {
    rule: "!has(self.expectations) || !self.expectations.exists(e, has(e.freshness)) || (has(self.schema) && self.schema.columns.exists(c, has(c.role) && c.role == 'Timestamp' && !(has(c.sensitive) && c.sensitive)))",
    message: "freshness needs a column with the role Timestamp in schema.columns that is not sensitive",
    check: ({ expectations, schema }) =>
      !expectations?.some(({ freshness }) => freshness) ||
      (schema?.columns.some(({ role, sensitive }) => role === "Timestamp" && !sensitive) ?? false),
  },
  {
    rule: "!has(self.online) || has(self.online.keys) || (has(self.schema) && self.schema.columns.exists(c, has(c.role) && c.role == 'Key'))",
    message: "online needs keys, or columns with the role Key in schema.columns",
    check: (value) => !given(value.online) || given(value.online?.keys) || hasRole(value, "Key"),
  },
  {
    rule: "!has(self.transform) || !has(self.transform.pointInTime) || !has(self.from) || (self.from.exists(f, f.name == self.transform.pointInTime.rows) && self.transform.pointInTime.features.all(n, n != self.transform.pointInTime.rows && self.from.exists(f, f.name == n)))",
    message: "transform.pointInTime.rows and features must be names in from, each once",
    check: ({ transform, from }) => {
      const join = transform?.pointInTime;
      if (!join || !from) return true;
      const names = new Set(from.map(({ name }) => name));
      return names.has(join.rows) && join.features.every((name) => name !== join.rows && names.has(name));
    },
  },
  {
    rule: "!has(self.transform) || !has(self.transform.pointInTime) || !has(self.from) || !self.from.exists(f, f.name == 'joined')",
    message: "joined is the table that transform.pointInTime makes: name the one in from otherwise",
    check: ({ transform, from = [] }) => !given(transform?.pointInTime) || from.every(({ name }) => name !== "joined"),
  },
];

export const datasetSpec = rules.reduce(cel, spec);
export type DatasetSpec = z.output<typeof datasetSpec>;

export interface Dataset {
  apiVersion: string;
  kind: "Dataset";
  metadata: ObjectMeta;
  spec: DatasetSpec;
  status?: DatasetStatus;
}

export const datasetKind: KindDefinition = {
  kind: "Dataset",
  plural: "datasets",
  singular: "dataset",
  shortNames: ["ds"],
  scope: "Namespaced",
  description: "Data for models: a source that is read into immutable, profiled versions named by their digest.",
  spec: datasetSpec,
  status: datasetStatus,
  columns: [
    { name: "Version", type: "integer", jsonPath: ".status.version" },
    { name: "Rows", type: "integer", jsonPath: ".status.rows" },
    readyColumn,
    reasonColumn,
    { name: "Checked", type: "date", jsonPath: ".status.lastChecked" },
    ageColumn,
  ],
};
