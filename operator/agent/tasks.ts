/**
 * What the operator asks of its own containers: one JSON task in the variable LEMNIS_TASK. A task holds no secret;
 * credentials are files mounted from the tenant's Secret (see paths.ts).
 */
import { z } from "zod";
import { columnRole, columnType, csvDialect, datasetFormat, digest, parameters, runSpec } from "../store/api.ts";

export * from "./paths.ts";

/** Exit code of a failure that a retry can't mend; the Job's podFailurePolicy ends the Job on it. */
export const permanentFailure = 3;

/** Where bytes come from. For pvc and configmap the volume is mounted at `paths.source`. */
const location = {
  uri: z.string().max(2048),
  endpoint: z.string().optional(),
  region: z.string().optional(),
  /** Of a git source. */
  ref: z.string().optional(),
  path: z.string().optional(),
  /** Of a postgres source. */
  query: z.string().optional(),
  /** True when a Secret with the credentials (see secretRef in operator/api/v1alpha1/location.ts) is mounted at `paths.secret`. */
  secret: z.boolean(),
  /** Which volume and Secret, of several in one pod: see mountedAt. */
  mount: z
    .string()
    .regex(/^[0-9]+$/)
    .optional(),
  /** Networks in CIDR notation that no source may be in, beside loopback and link-local ones. */
  deniedRanges: z.array(z.string()).optional(),
};
export const artifactLocation = z.strictObject(location);
export type ArtifactLocation = z.infer<typeof artifactLocation>;

/** How rows are told apart: by drawing, by the value of a column, or by time; absent: all rows in `all`. */
export const splitRule = z.union([
  z.strictObject({
    /** Percent of rows by split, by name. */
    shares: z.array(z.strictObject({ name: z.string(), percent: z.number() })).min(1),
    seed: z.int(),
    /** Rows with the same value of this column stay together. Default: the whole row decides; of Files, the path. */
    by: z.string().optional(),
  }),
  z.strictObject({
    /** In the order of time; the first has no `from`. */
    times: z.array(z.strictObject({ name: z.string(), from: z.string().optional() })).min(2),
  }),
]);
export type SplitRule = z.infer<typeof splitRule>;

/** A column of the contract: must be there, with the type where one is given. */
const declaredColumn = z.strictObject({
  name: z.string(),
  type: columnType.optional(),
  role: columnRole.optional(),
  nullable: z.boolean().optional(),
  sensitive: z.literal(true).optional(),
});
export type DeclaredColumn = z.infer<typeof declaredColumn>;

/** As in the manifest: operator/api/v1alpha1/expectations.ts. */
const expectation = z.strictObject({
  name: z.string(),
  column: z.string().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  in: z.array(z.union([z.string(), z.number()])).optional(),
  pattern: z.string().optional(),
  unique: z.literal(true).optional(),
  maxNulls: z.number().optional(),
  maxPsi: z.number().optional(),
  rows: z
    .strictObject({ min: z.int().optional(), max: z.int().optional(), maxDecrease: z.number().optional() })
    .optional(),
  /** Milliseconds. */
  freshness: z.strictObject({ maxAge: z.number() }).optional(),
  sql: z.string().optional(),
  equals: z.number().optional(),
  onViolation: z.enum(["Block", "Warn"]),
});
export type ExpectationTask = z.infer<typeof expectation>;

/** What makes a version, wherever its rows come from. */
const versionTask = {
  namespace: z.string(),
  dataset: z.string(),
  columns: z.array(declaredColumn),
  expectations: z.array(expectation),
  splits: splitRule.optional(),
  retain: z.int(),
  /** Names how the version is made: all of the above and below but the data itself. */
  recipe: digest,
};

export const snapshotTask = z.strictObject({
  verb: z.literal("snapshot"),
  ...versionTask,
  source: artifactLocation,
  format: datasetFormat,
  csv: csvDialect.optional(),
  storage: z.enum(["Copy", "Reference"]),
});
export type SnapshotTask = z.infer<typeof snapshotTask>;

/** A version of a dataset to be read: `location` says where from, and with which Secret, when it is stored by reference. */
const versionInput = {
  dataset: z.string(),
  digest,
  split: z.string().optional(),
  location: artifactLocation.optional(),
};

/** Absent: the version's first. Of any other that the store has now nothing is made. */
const revision = z.int().min(2).optional();

/** Makes a version of a derived Dataset. */
export const deriveTask = z.strictObject({
  verb: z.literal("derive"),
  ...versionTask,
  inputs: z.array(z.strictObject({ name: z.string(), ...versionInput })),
  sql: z.string().optional(),
  /** `maxAge` in milliseconds. */
  pointInTime: z
    .strictObject({ rows: z.string(), features: z.array(z.string()), maxAge: z.number().optional() })
    .optional(),
});
export type DeriveTask = z.infer<typeof deriveTask>;

/** Serves the newest row by key of the Dataset's current version, until it is told to end. */
export const featuresTask = z.strictObject({
  verb: z.literal("features"),
  namespace: z.string(),
  dataset: z.string(),
  keys: z.array(z.string()).min(1),
  port: z.int(),
  location: artifactLocation.optional(),
});
export type FeaturesTask = z.infer<typeof featuresTask>;

/** A Flux artifact, and the folder in it whose content is the code; "" is all of it. */
const gitCode = z.strictObject({ url: z.url({ protocol: /^https?$/ }), digest, path: z.string() });
export type GitCode = z.infer<typeof gitCode>;

export const stageTask = z.strictObject({
  verb: z.literal("stage"),
  namespace: z.string(),
  /** Placed at /opt/ml/input/data/{name}; without a split, every file of the version's folder `all` or `train`. */
  inputs: z.array(z.strictObject({ name: z.string(), ...versionInput, revision })),
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
  datasetRevision: revision,
  split: z.string(),
  /** Of the dataset, when it is stored by reference. */
  location: artifactLocation.optional(),
  task: z.enum(["Classification", "Regression"]),
  /** The runtime under test, in this pod: http://127.0.0.1:8080. */
  endpoint: z.string(),
  /** The model's name in the Open Inference Protocol. */
  modelName: z.string(),
});
export type EvaluateTask = z.infer<typeof evaluateTask>;

export const task = z.discriminatedUnion("verb", [
  snapshotTask,
  deriveTask,
  featuresTask,
  stageTask,
  publishTask,
  importTask,
  evaluateTask,
]);
export type Task = z.infer<typeof task>;

/** The termination message of every Lemnis container, at most 4096 bytes: why it failed, in words for the user. */
export const taskFailure = z.strictObject({
  reason: z.enum([
    "SourceNotFound",
    "SourceForbidden",
    "SourceUnreachable",
    "SourceInvalid",
    "SourceChanged",
    "SchemaViolation",
    "ExpectationFailed",
    "TransformInvalid",
    "EmptyDataset",
    "MemoryTooSmall",
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
