/** The part of the store's contract about datasets: see api.ts. */
import { z } from "zod";
import { digest, files, objectName, relativePath, timestamp } from "./manifest.ts";

export const columnType = z.enum(["Boolean", "Int64", "Double", "String", "Date", "Timestamp"]);
export type ColumnType = z.infer<typeof columnType>;

export const columnRole = z.enum(["Label", "Key", "Timestamp", "Weight"]);
export const datasetFormat = z.enum(["CSV", "Parquet", "JSONL", "Files"]);
export type DatasetFormat = z.infer<typeof datasetFormat>;

export const column = z.strictObject({
  name: z.string().min(1).max(256),
  type: columnType,
  nullable: z.boolean(),
  role: columnRole.optional(),
  /** No value of it may be shown anywhere. */
  sensitive: z.literal(true).optional(),
});
export type Column = z.infer<typeof column>;

/** What a column's values look like. Numeric statistics are absent for text, lengths and dates are not numbers here; values are absent for sensitive columns. */
export const columnProfile = z.strictObject({
  name: z.string(),
  type: columnType,
  count: z.int(),
  nulls: z.int(),
  distinct: z.int(),
  /** True of more than a million rows: distinct and quantiles are estimates, top values those of a sample. */
  approximate: z.literal(true).optional(),
  min: z.union([z.number(), z.string(), z.boolean()]).optional(),
  max: z.union([z.number(), z.string(), z.boolean()]).optional(),
  mean: z.number().optional(),
  stddev: z.number().optional(),
  /** Values at probabilities 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99. */
  quantiles: z.record(z.string(), z.number()).optional(),
  /** Equal-width bins from min to max: n counts lie between n + 1 edges; of dates in seconds since 1970. */
  histogram: z.strictObject({ edges: z.array(z.number()), counts: z.array(z.int()) }).optional(),
  topValues: z.array(z.strictObject({ value: z.string(), count: z.int() })).optional(),
  /** With the label, of numeric and Boolean columns: Pearson's coefficient over rows that have both. */
  correlation: z.number().min(-1).max(1).optional(),
});
export type ColumnProfile = z.infer<typeof columnProfile>;

/** Which columns are null together, and in how many rows; the most frequent patterns, most frequent first. */
export const missingPattern = z.strictObject({ columns: z.array(z.string()), rows: z.int() });

/** Where the bytes of a pinned file are, as the source names them: its own version or ETag. */
export const origin = z.strictObject({
  path: relativePath,
  uri: z.string().max(4096),
  etag: z.string().max(1024).optional(),
  version: z.string().max(1024).optional(),
});
export type Origin = z.infer<typeof origin>;

export const expectationResult = z.strictObject({
  name: z.string().max(63),
  passed: z.boolean(),
  /** What was found, without values of sensitive columns. */
  message: z.string().max(512),
});
export type ExpectationResult = z.infer<typeof expectationResult>;

/** A dataset version that another one was derived from. */
export const parent = z.strictObject({
  dataset: objectName,
  version: z.int().min(1),
  digest,
  revision: z.int().min(2).optional(),
  split: z.string().optional(),
});
export type Parent = z.infer<typeof parent>;

/** As in the manifest: operator/api/v1alpha1/dataset-parts.ts. */
export const csvDialect = z.strictObject({
  delimiter: z.string().optional(),
  quote: z.string().optional(),
  header: z.boolean(),
  nullValues: z.array(z.string()).optional(),
});

/** POST datasets/{name}/versions. Idempotent by digest: the same files are the same version. */
export const datasetVersionInput = z.strictObject({
  digest,
  format: datasetFormat,
  /** How its CSV files are written, where the manifest says so. */
  csv: csvDialect.optional(),
  /** Each file lies in its split's folder (`train/data.csv`); without splits, in `all/`. */
  files,
  /** Absent: the store has the files' bytes. Present, one a file: they stay where they are (storage: Reference). */
  origins: z.array(origin).max(10_000).optional(),
  /** Of the format Files, by path in the source: what a bucket calls each file's content. What is called the same is not fetched again. */
  etags: z.record(relativePath, z.string().max(1024)).optional(),
  rows: z.int().min(0),
  bytes: z.int().min(0),
  /** Rows by split. */
  splits: z.record(z.string(), z.int()),
  columns: z.array(column).max(10_000),
  profile: z.array(columnProfile).max(10_000),
  missing: z.array(missingPattern).max(20).optional(),
  /** Absent for a derived version. `state` is what the source said of itself (ETags, a listing's digest, a commit): equal to the last one, nothing has changed. */
  source: z.strictObject({ uri: z.string().max(2048), state: z.string().max(1024).optional() }).optional(),
  /** The digest of how the source was read or the version derived: an equal state tells something only where this is equal too. */
  recipe: digest.optional(),
  parents: z.array(parent).max(16).optional(),
  expectations: z.array(expectationResult).max(64).optional(),
  /** The newest value of the column with the role Timestamp, unless it is sensitive. */
  newest: timestamp.optional(),
  /** How many unreferenced versions to keep, the new one included. */
  retain: z.int().min(1).max(1000),
});
export type DatasetVersionInput = z.infer<typeof datasetVersionInput>;

/** One row of GET datasets/{name}; GET datasets/{name}/versions/{version or digest} adds `files` and `profile`. */
export const datasetVersion = datasetVersionInput
  .omit({ files: true, origins: true, etags: true, profile: true, missing: true, retain: true })
  .extend({
    version: z.int().min(1),
    createdAt: timestamp,
    /** Absent at first; one more each time that the same bytes are registered with another format, csv or columns. */
    revision: z.int().min(2).optional(),
  });
export type DatasetVersion = z.infer<typeof datasetVersion>;
export const datasetVersionDetail = datasetVersion.extend({
  files,
  origins: z.array(origin).optional(),
  etags: z.record(relativePath, z.string()).optional(),
  profile: z.array(columnProfile),
  missing: z.array(missingPattern).optional(),
});
export type DatasetVersionDetail = z.infer<typeof datasetVersionDetail>;
/**
 * PUT datasets/{name}/versions/{version or digest}/use, without content: a run that waits for its turn will ask for it.
 * It stays for a week. Of a version that is not there it is no error: the run will say so.
 */
export const versionUse = z.strictObject({});

/** PUT datasets/{name}/retain: how many versions are to stay, from whoever found the source as it was. */
export const retention = datasetVersionInput.pick({ retain: true });

/** PUT datasets/{name}/progress: how far a reading has come. Kept in memory only, for as long as it is told. */
export const progress = z.strictObject({
  phase: z.enum(["Fetching", "Reading", "Checking", "Storing"]),
  bytes: z.int().min(0),
  /** Absent while it is not known. */
  totalBytes: z.int().min(0).optional(),
  rows: z.int().min(0).optional(),
});
export type Progress = z.infer<typeof progress>;

/** GET datasets/{name}, newest version first. `current` is the version that was registered last, which may be an old one again. */
export const dataset = z.strictObject({
  versions: z.array(datasetVersion),
  current: z.int().min(1).optional(),
  progress: progress.optional(),
});
export type DatasetRecord = z.infer<typeof dataset>;
