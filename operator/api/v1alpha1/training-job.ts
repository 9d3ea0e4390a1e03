import { z } from "zod";
import {
  ageColumn,
  cel,
  commonStatus,
  container,
  digest,
  dnsName,
  type KindDefinition,
  listMap,
  metricValues,
  type ObjectMeta,
  objectName,
  podSettings,
  readyColumn,
  reasonColumn,
  resources,
} from "./common.ts";

const input = z.strictObject({
  name: dnsName.describe("The folder: the data is at /opt/ml/input/data/<name>."),
  datasetRef: z.strictObject({
    name: objectName.describe("The Dataset, in this namespace."),
    split: dnsName
      .optional()
      .describe("The split to read. Default: train where the Dataset has such a split, else all rows."),
  }),
});

export const trainingTemplate = z.strictObject({ container, ...podSettings });
export type TrainingTemplate = z.output<typeof trainingTemplate>;

const spec = z.strictObject({
  modelRef: z
    .strictObject({ name: objectName.describe("The Model, in this namespace.") })
    .describe("The Model that each successful run makes a version of."),
  runtimeRef: z
    .strictObject({ name: objectName })
    .optional()
    .describe("The TrainingRuntime that the container comes from. Default: the one that lists the model's format."),
  template: trainingTemplate.optional().describe("A container of your own instead of a TrainingRuntime."),
  code: z
    .strictObject({
      configMapRef: z
        .strictObject({ name: objectName })
        .describe("A ConfigMap in this namespace whose keys are files in /opt/ml/code."),
    })
    .optional()
    .describe("The training code. Default: it is in the image."),
  inputs: listMap(z.array(input).max(16), ["name"])
    .optional()
    .describe("The data to train on. Splits that no input names are not in the pod."),
  parameters: z
    .record(z.string().max(128), z.unknown())
    .meta({ type: "object", "x-kubernetes-preserve-unknown-fields": true, maxProperties: 128 })
    .optional()
    .describe(
      "Hyperparameters: strings, numbers or booleans. They are in /opt/ml/input/config/hyperparameters.json and on the command line as --name value.",
    ),
  resources: resources.optional().describe("CPU, memory and accelerators of the training container."),
  backoffLimit: z.int().min(0).max(20).default(2).describe("How often a failed pod is tried again."),
  activeDeadlineSeconds: z
    .int()
    .min(1)
    .max(2592000)
    .default(86400)
    .describe("Seconds after which a run that has not ended is failed."),
  suspend: z.boolean().default(false).describe("True: no new run starts, and a running one is stopped."),
  triggers: z
    .strictObject({
      datasetChange: z.boolean().default(false).describe("True: a new version of an input Dataset starts a run."),
    })
    .prefault({})
    .describe("What starts a run beside a change of this spec or of the code's ConfigMap."),
  historyLimit: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe("How many ended runs keep their Job and pods. The store keeps the record of all."),
});
export const trainingJobSpec = cel(spec, {
  rule: "!(has(self.runtimeRef) && has(self.template))",
  message: "give runtimeRef or template, not both",
  check: (value) => !(value.runtimeRef && value.template),
});
export type TrainingJobSpec = z.output<typeof spec>;

export const runPhases = ["Pending", "Running", "Succeeded", "Failed"] as const;
const runStatus = z.strictObject({
  job: z.string().max(253).optional().describe("The Job that runs it."),
  digest: digest.describe("The digest of all the run's inputs."),
  phase: z.enum(runPhases),
  trigger: z.enum(["Spec", "DatasetChange"]),
  inputs: z
    .array(z.strictObject({ name: z.string().max(63), dataset: objectName, version: z.int() }))
    .max(16)
    .optional(),
  metrics: metricValues.optional(),
  modelVersion: z.int().optional().describe("The version of the Model that the run made."),
  reason: z.string().max(128).optional(),
  message: z.string().max(1024).optional(),
  startedAt: z.string().max(64).optional(),
  finishedAt: z.string().max(64).optional(),
});
export type RunStatus = z.output<typeof runStatus>;

export const trainingJobStatus = z.strictObject({
  ...commonStatus,
  run: runStatus.optional().describe("The current run."),
  runs: z.array(runStatus).max(10).optional().describe("The newest runs that ended; the store has all."),
});
export type TrainingJobStatus = z.output<typeof trainingJobStatus>;

export interface TrainingJob {
  apiVersion: string;
  kind: "TrainingJob";
  metadata: ObjectMeta;
  spec: TrainingJobSpec;
  status?: TrainingJobStatus;
}

export const trainingJobKind: KindDefinition = {
  kind: "TrainingJob",
  plural: "trainingjobs",
  singular: "trainingjob",
  shortNames: ["tj"],
  scope: "Namespaced",
  description: "Trains a Model: one run for each digest of data, code, image and parameters.",
  spec: trainingJobSpec,
  status: trainingJobStatus,
  columns: [
    { name: "Model", type: "string", jsonPath: ".spec.modelRef.name" },
    { name: "Run", type: "string", jsonPath: ".status.run.phase" },
    { name: "ModelVersion", type: "integer", jsonPath: ".status.run.modelVersion" },
    readyColumn,
    reasonColumn,
    ageColumn,
  ],
};
