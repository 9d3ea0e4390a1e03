/**
 * The store's HTTP contract: what its service answers, and what agents and the operator send. Paths are under
 * /v1/namespaces/{namespace}; every body is JSON but artifacts, which are byte streams.
 */
import { z } from "zod";
import { sha256 } from "../api/digest.ts";

/** A content address: sha256 in lower-case hex. */
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** A name that Kubernetes accepts for an object or a namespace (RFC 1123 subdomain). */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

/** A path inside a version: relative, without `.` or `..` segments, empty segments or control characters. */
export const relativePath = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (path) =>
      path.split("/").every((part) => part !== "" && part !== "." && part !== "..") &&
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
      !/[\u0000-\u001f\\]/.test(path),
    "must be a relative path without . or .. segments",
  );

export const fileEntry = z.strictObject({ path: relativePath, size: z.int().min(0), digest });
export type FileEntry = z.infer<typeof fileEntry>;

export const files = z.array(fileEntry).min(1).max(10_000);

/** The digest that names a version: sha256 of the JSON list of its files, sorted by path. */
export function manifestDigest(entries: readonly FileEntry[]): string {
  const sorted = [...entries]
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .map(({ path, size, digest }) => ({ path, size, digest }));
  return sha256(JSON.stringify(sorted));
}

const timestamp = z.iso.datetime();
const metrics = z.record(z.string().max(128), z.number());

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
  min: z.union([z.number(), z.string(), z.boolean()]).optional(),
  max: z.union([z.number(), z.string(), z.boolean()]).optional(),
  mean: z.number().optional(),
  stddev: z.number().optional(),
  /** Values at probabilities 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99. */
  quantiles: z.record(z.string(), z.number()).optional(),
  /** Equal-width bins from min to max: n counts lie between n + 1 edges. */
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
  split: z.string().optional(),
});
export type Parent = z.infer<typeof parent>;

/** POST datasets/{name}/versions. Idempotent by digest: the same files are the same version. */
export const datasetVersionInput = z.strictObject({
  digest,
  format: datasetFormat,
  /** Each file lies in its split's folder (`train/data.csv`); without splits, in `all/`. */
  files,
  /** Absent: the store has the files' bytes. Present, one a file: they stay where they are (storage: Reference). */
  origins: z.array(origin).max(10_000).optional(),
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
  /** The newest value of the column with the role Timestamp. */
  newest: timestamp.optional(),
  /** How many unreferenced versions to keep, the new one included. */
  retain: z.int().min(1).max(1000),
});
export type DatasetVersionInput = z.infer<typeof datasetVersionInput>;

/** One row of GET datasets/{name}; GET datasets/{name}/versions/{version or digest} adds `files` and `profile`. */
export const datasetVersion = datasetVersionInput
  .omit({ files: true, origins: true, profile: true, missing: true, retain: true })
  .extend({ version: z.int().min(1), createdAt: timestamp });
export type DatasetVersion = z.infer<typeof datasetVersion>;
export const datasetVersionDetail = datasetVersion.extend({
  files,
  origins: z.array(origin).optional(),
  profile: z.array(columnProfile),
  missing: z.array(missingPattern).optional(),
});
export type DatasetVersionDetail = z.infer<typeof datasetVersionDetail>;
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

export const runInput = z.strictObject({
  name: z.string().max(128),
  dataset: objectName,
  version: z.int().min(1),
  digest,
  split: z.string().max(63).optional(),
});

const scalar = z.union([z.string(), z.number(), z.boolean()]);
export const parameters = z.record(z.string().max(128), scalar);

/** What made a run: all that its digest covers. */
export const runSpec = z.strictObject({
  trigger: z.enum(["Spec", "DatasetChange"]),
  /** The digest of all that made the run but the dataset versions: tells a change of data from a change of code. */
  recipe: digest,
  inputs: z.array(runInput).max(32),
  parameters,
  /** The digest of the code's ConfigMap; absent when the code is in the image. */
  code: digest.optional(),
  image: z.string().max(1024),
});
export type RunSpec = z.infer<typeof runSpec>;

/** PUT trainingjobs/{name}/runs/{digest}. A run that succeeded is final; a failed one may be put again. */
export const runResult = runSpec.extend({
  phase: z.enum(["Succeeded", "Failed"]),
  startedAt: timestamp,
  finishedAt: timestamp,
  metrics: metrics.optional(),
  reason: z.string().max(128).optional(),
  message: z.string().max(1024).optional(),
  /** The model that the run made; registered with the run, in one transaction. */
  model: z.strictObject({ name: objectName, format: z.string().max(63), files }).optional(),
});
export type RunResult = z.infer<typeof runResult>;

export const run = runResult.omit({ model: true }).extend({
  digest,
  model: z.strictObject({ name: objectName, version: z.int().min(1), digest }).optional(),
});
export type Run = z.infer<typeof run>;
/** GET trainingjobs/{name}, newest first. */
export const trainingJob = z.strictObject({ runs: z.array(run) });

/** POST models/{name}/versions: a model that was trained elsewhere. Idempotent by its manifest's digest. */
export const modelImport = z.strictObject({
  format: z.string().max(63),
  files,
  /** `digest` is the one that the manifest's import asked for. */
  source: z.strictObject({ uri: z.string().max(2048), digest }),
});
export type ModelImport = z.infer<typeof modelImport>;

/** PUT models/{name}/versions/{version}/evaluations/{digest}. */
export const evaluationInput = z.strictObject({
  dataset: objectName,
  datasetVersion: z.int().min(1),
  datasetDigest: digest,
  split: z.string().max(63),
  rows: z.int().min(1),
  metrics,
});
export type EvaluationInput = z.infer<typeof evaluationInput>;
export const evaluation = evaluationInput.extend({ digest, createdAt: timestamp });
export type Evaluation = z.infer<typeof evaluation>;

export const gateResult = z.strictObject({
  metric: z.string().max(128),
  passed: z.boolean(),
  value: z.number().optional(),
  /** What was asked, and what was found: "accuracy 0.71 is below min 0.9". */
  message: z.string().max(512),
});
export type GateResult = z.infer<typeof gateResult>;

/**
 * PUT models/{name}/versions/{version}/decision: the operator's alone. It may be put again (the last one holds): a
 * version that failed is judged anew when the gates change.
 */
export const decision = z.strictObject({
  verdict: z.enum(["Passed", "Failed"]),
  /** The evaluation that was judged; absent when the model asks for none or none could be made. */
  evaluation: digest.optional(),
  gates: z.array(gateResult).max(64),
  /** The digest of the gates that were applied. */
  gatesDigest: digest,
  message: z.string().max(1024),
  decidedAt: timestamp,
});
export type Decision = z.infer<typeof decision>;

export const modelVersion = z.strictObject({
  version: z.int().min(1),
  digest,
  format: z.string(),
  bytes: z.int(),
  source: z.union([
    z.strictObject({ trainingJob: objectName, run: digest }),
    z.strictObject({ uri: z.string(), digest }),
  ]),
  metrics,
  evaluations: z.array(evaluation),
  decision: decision.optional(),
  createdAt: timestamp,
});
export type ModelVersion = z.infer<typeof modelVersion>;
/** GET models/{name}, newest version first. PUT models/{name}/aliases/{alias} {version} is the operator's alone. */
export const model = z.strictObject({ versions: z.array(modelVersion), aliases: z.record(z.string(), z.int()) });
export type ModelRecord = z.infer<typeof model>;
/** GET models/{name}/versions/{version or digest}. */
export const modelVersionDetail = modelVersion.extend({ files });
export const aliasInput = z.strictObject({ version: z.int().min(1) });

/** Every error's body; `message` says what to do. */
export const storeError = z.strictObject({ error: z.strictObject({ code: z.string(), message: z.string() }) });
