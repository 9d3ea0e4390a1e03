/**
 * What the operator asks of its own containers: one JSON task in the variable LEMNIS_TASK. A task holds no secret;
 * credentials are files mounted from the tenant's Secret at `secretPath`.
 */
import { z } from "zod";
import { column, columnType, digest, parameters, runSpec } from "../store/api.ts";

/** Where every Lemnis container finds things; the first four are SageMaker's, the model's is KServe's. */
export const paths = {
  inputData: "/opt/ml/input/data",
  inputConfig: "/opt/ml/input/config",
  model: "/opt/ml/model",
  output: "/opt/ml/output",
  code: "/opt/ml/code",
  servedModel: "/mnt/models",
  /** Shared by Lemnis's own containers of a pod, never by the user's. */
  work: "/lemnis/work",
  /** The ConfigMap with the code, as mounted; `stage` copies it to `code` when its digest is right. */
  codeSource: "/lemnis/code",
  /** A pvc or configmap source, mounted read-only. */
  source: "/lemnis/source",
  secret: "/lemnis/secret",
  /** The audience-bound token for the store. */
  token: "/var/run/secrets/lemnis/token",
} as const;

/** Exit code of a failure that a retry can't mend; the Job's podFailurePolicy ends the Job on it. */
export const permanentFailure = 3;

/** Where bytes come from. For pvc and configmap the volume is mounted at `paths.source`. */
const location = {
  uri: z.string().max(2048),
  endpoint: z.string().optional(),
  region: z.string().optional(),
  /** True when a Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is mounted at `paths.secret`. */
  secret: z.boolean(),
};
export const artifactLocation = z.strictObject(location);
export type ArtifactLocation = z.infer<typeof artifactLocation>;

export const snapshotTask = z.strictObject({
  verb: z.literal("snapshot"),
  namespace: z.string(),
  dataset: z.string(),
  source: artifactLocation,
  format: z.enum(["CSV", "Parquet", "JSONL"]),
  /** Declared columns: must be there, with the type where one is given. */
  columns: z.array(column.pick({ name: true, role: true }).extend({ type: columnType.optional() })),
  /** Percent of rows by split, in the manifest's order; empty: all rows in `all`. */
  splits: z.array(z.strictObject({ name: z.string(), percent: z.number() })),
  seed: z.int(),
  retain: z.int(),
});
export type SnapshotTask = z.infer<typeof snapshotTask>;

/** A Flux artifact, and the folder in it whose content is the code; "" is all of it. */
const gitCode = z.strictObject({ url: z.url({ protocol: /^https?$/ }), digest, path: z.string() });
export type GitCode = z.infer<typeof gitCode>;

export const stageTask = z.strictObject({
  verb: z.literal("stage"),
  namespace: z.string(),
  /** Placed at /opt/ml/input/data/{name}; without a split, every file of the version's folder `all` or `train`. */
  inputs: z.array(z.strictObject({ name: z.string(), dataset: z.string(), digest, split: z.string().optional() })),
  hyperparameters: parameters.optional(),
  /** The digest that the ConfigMap's files must have, or where a commit's are. */
  code: z.union([digest, gitCode]).optional(),
  /** Placed at /mnt/models, each file verified: a registered version, or a uri with an optional digest. */
  model: z
    .union([z.strictObject({ name: z.string(), digest }), z.strictObject({ ...location, digest: digest.optional() })])
    .optional(),
});
export type StageTask = z.infer<typeof stageTask>;

export const publishTask = z.strictObject({
  verb: z.literal("publish"),
  namespace: z.string(),
  trainingJob: z.string(),
  runDigest: digest,
  run: runSpec,
  model: z.strictObject({ name: z.string(), format: z.string() }),
});
export type PublishTask = z.infer<typeof publishTask>;

export const importTask = z.strictObject({
  verb: z.literal("import"),
  namespace: z.string(),
  model: z.string(),
  format: z.string(),
  source: artifactLocation,
  /** sha256 of the one file, or the manifest's digest where the uri names a folder. */
  digest,
});
export type ImportTask = z.infer<typeof importTask>;

export const evaluateTask = z.strictObject({
  verb: z.literal("evaluate"),
  namespace: z.string(),
  model: z.string(),
  version: z.int(),
  /** Names this evaluation: model version, dataset version, split and runtime. */
  evaluationDigest: digest,
  dataset: z.string(),
  datasetVersion: z.int(),
  datasetDigest: digest,
  split: z.string(),
  task: z.enum(["Classification", "Regression"]),
  /** The runtime under test, in this pod: http://127.0.0.1:8080. */
  endpoint: z.string(),
  /** The model's name in the Open Inference Protocol. */
  modelName: z.string(),
});
export type EvaluateTask = z.infer<typeof evaluateTask>;

export const task = z.discriminatedUnion("verb", [snapshotTask, stageTask, publishTask, importTask, evaluateTask]);
export type Task = z.infer<typeof task>;

/** The termination message of every Lemnis container, at most 4096 bytes: why it failed, in words for the user. */
export const taskFailure = z.strictObject({
  reason: z.enum([
    "SourceNotFound",
    "SourceForbidden",
    "SourceUnreachable",
    "SourceInvalid",
    "SchemaViolation",
    "EmptyDataset",
    "LabelMissing",
    "DigestMismatch",
    "ModelMissing",
    "MetricsInvalid",
    "CodeChanged",
    "RuntimeUnavailable",
    "PredictionFailed",
    "StoreUnavailable",
    "StoreRejected",
    "InternalError",
  ]),
  message: z.string().max(1024),
});
export type TaskFailure = z.infer<typeof taskFailure>;
