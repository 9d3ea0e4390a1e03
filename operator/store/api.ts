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

export const column = z.strictObject({
  name: z.string().min(1).max(256),
  type: columnType,
  nullable: z.boolean(),
  role: z.enum(["Label"]).optional(),
});
export type Column = z.infer<typeof column>;

/** What a column's values look like. Numeric statistics are absent for text, lengths and dates are not numbers here. */
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
});
export type ColumnProfile = z.infer<typeof columnProfile>;

/** POST datasets/{name}/versions. Idempotent by digest: the same files are the same version. */
export const datasetVersionInput = z.strictObject({
  digest,
  format: z.enum(["CSV", "Parquet", "JSONL"]),
  /** Each file lies in its split's folder (`train/data.csv`); without splits, in `all/`. */
  files,
  rows: z.int().min(0),
  bytes: z.int().min(0),
  /** Rows by split. */
  splits: z.record(z.string(), z.int()),
  columns: z.array(column).max(10_000),
  profile: z.array(columnProfile).max(10_000),
  source: z.strictObject({ uri: z.string().max(2048), etag: z.string().max(1024).optional() }),
  /** How many unreferenced versions to keep, the new one included. */
  retain: z.int().min(1).max(1000),
});
export type DatasetVersionInput = z.infer<typeof datasetVersionInput>;

/** One row of GET datasets/{name}; GET datasets/{name}/versions/{version or digest} adds `files` and `profile`. */
export const datasetVersion = datasetVersionInput
  .omit({ files: true, profile: true, retain: true })
  .extend({ version: z.int().min(1), createdAt: timestamp });
export type DatasetVersion = z.infer<typeof datasetVersion>;
export const datasetVersionDetail = datasetVersion.extend({ files, profile: z.array(columnProfile) });
export type DatasetVersionDetail = z.infer<typeof datasetVersionDetail>;
/** GET datasets/{name}, newest version first. `current` is the version that was registered last, which may be an old one again. */
export const dataset = z.strictObject({ versions: z.array(datasetVersion), current: z.int().min(1).optional() });
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
/** GET trainingjobs?name={name}&name=…: each of them, by name. */
export const trainingJobs = z.record(objectName, trainingJob);

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
