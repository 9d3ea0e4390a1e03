import { z } from "zod";
import { cel, commonStatus, digest, listMap, namedMap, type ObjectMeta, onlyWithS3, s3Access, uri } from "./common.ts";
import { ageColumn, type KindDefinition, readyColumn, reasonColumn } from "./kind.ts";

const source = cel(
  z.strictObject({
    uri: uri.describe(
      "Where the data is: http(s)://host/file, s3://bucket/key (or a prefix that ends in /), pvc://claim/path, configmap://name/key.",
    ),
    ...s3Access,
  }),
  onlyWithS3("uri"),
);

const column = z.strictObject({
  name: z.string().min(1).max(256).describe("The column's name, as in the data's header."),
  type: z
    .enum(["Boolean", "Int64", "Double", "String", "Date", "Timestamp"])
    .optional()
    .describe("The type that every value must have. Default: inferred from the data."),
  role: z.enum(["Label"]).optional().describe("Label: the column that models predict."),
});

const splits = cel(namedMap(z.int().min(1).max(100), 8), {
  rule: "self.map(name, self[name]).sum() == 100",
  message: "the percentages must add up to 100",
  check: (value) => Object.values(value).reduce((sum, percent) => sum + percent, 0) === 100,
});

const columns = cel(listMap(z.array(column).min(1).max(1000), ["name"]), {
  rule: "self.filter(c, has(c.role)).size() <= 1",
  message: "at most one column has the role Label",
  check: (value) => value.filter(({ role }) => role).length <= 1,
});

export const datasetSpec = z.strictObject({
  description: z.string().max(1024).optional().describe("What the data is, for people."),
  source: source.describe("Where the data is read from."),
  format: z.enum(["CSV", "Parquet", "JSONL"]).default("CSV").describe("How the source's files are written."),
  schedule: z
    .string()
    .min(9)
    .max(128)
    .regex(/^[0-9A-Za-z*/,-]+( [0-9A-Za-z*/,-]+){4}$/)
    .optional()
    .describe(
      'When to look at the source again, as five cron fields in UTC, such as "*/15 * * * *". Default: only when the spec or the annotation lemnis.dev/refresh changes.',
    ),
  schema: z
    .strictObject({
      columns: columns.describe("Columns that must be there. Columns that are not listed are inferred."),
    })
    .optional()
    .describe("The contract that the data keeps; data that breaks it makes no version. Default: inferred."),
  splits: splits
    .optional()
    .describe(
      "Percent of the rows by split, such as {train: 80, test: 20}. A row's split is drawn from its content and splitSeed, so it stays when rows are added. Default: no splits.",
    ),
  splitSeed: z.int().min(0).max(2147483647).default(0).describe("Another seed draws other splits."),
  retain: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe("How many versions to keep. Versions that a run or an evaluation used are kept beside them."),
});
export type DatasetSpec = z.output<typeof datasetSpec>;

const datasetVersionStatus = z.strictObject({
  version: z.int().describe("Its number."),
  digest: digest.describe("The sha256 of its manifest."),
  rows: z.int().describe("How many rows it has."),
  bytes: z.int().describe("The size of its files."),
  createdAt: z.string().max(64).describe("When it was registered."),
});

export const datasetStatus = z.strictObject({
  ...commonStatus,
  version: z.int().optional().describe("The current version's number."),
  digest: digest.optional().describe("The current version: the sha256 of its manifest."),
  rows: z.int().optional().describe("How many rows the current version has."),
  bytes: z.int().optional().describe("The size of its files."),
  label: z.string().max(256).optional().describe("The column with the role Label."),
  splits: z.record(z.string().max(63), z.int()).meta({ maxProperties: 8 }).optional().describe("Rows by split."),
  lastChecked: z.string().max(64).optional().describe("When the source was last read to the end."),
  look: z.string().max(128).optional().describe("Names the last look at the source that ended."),
  versions: z.array(datasetVersionStatus).max(10).optional().describe("The newest versions; the store has all."),
});
export type DatasetStatus = z.output<typeof datasetStatus>;

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
