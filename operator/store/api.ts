/**
 * The store's HTTP contract: what its service answers, and what agents and the operator send. Paths are under
 * /v1/namespaces/{namespace}; every body is JSON but artifacts, which are byte streams.
 */
import { z } from "zod";
import { digest, files, objectName, timestamp } from "./manifest.ts";

export * from "./dataset-api.ts";
export * from "./manifest.ts";

const metrics = z.record(z.string().max(128), z.number());

export const runInput = z.strictObject({
  name: z.string().max(128),
  dataset: objectName,
  version: z.int().min(1),
  digest,
  /** Absent: the version's first. */
  revision: z.int().min(2).optional(),
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
  /** The digest of the code's files; absent when the code is in the image. */
  code: digest.optional(),
  /** The Git commit that the code is from. */
  commit: z.string().max(128).optional(),
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
 * version that failed is judged anew when the gates change, or what its evaluation failed in.
 */
export const decision = z.strictObject({
  verdict: z.enum(["Passed", "Failed"]),
  /** The evaluation that was judged, or could not be made; absent when the model asks for none. */
  evaluation: digest.optional(),
  /** Why that evaluation could not be made. */
  reason: z.string().max(63).optional(),
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
