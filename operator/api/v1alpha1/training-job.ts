import { z } from "zod";
import {
  cel,
  commonStatus,
  container,
  digest,
  dnsName,
  listMap,
  metricValues,
  type ObjectMeta,
  objectName,
  podSettings,
  resources,
} from "./common.ts";
import { ageColumn, type KindDefinition, readyColumn, reasonColumn } from "./kind.ts";

const input = z.strictObject({
  name: dnsName.describe("The folder: the data is at /opt/ml/input/data/<name>."),
  datasetRef: z
    .strictObject({
      name: objectName.describe("The Dataset, in this namespace."),
      split: dnsName
        .optional()
        .describe(
          "The split to read. Default: train where the Dataset has such a split, all rows where it has no splits; others must be named.",
        ),
    })
    .describe("The data. Its current version is named in the run."),
});

/** A folder of a repository; `./` before it and `/` after it change nothing. */
const folder = cel(
  z
    .string()
    .min(1)
    .max(512)
    .regex(/^[A-Za-z0-9@+=,._-]+(\/[A-Za-z0-9@+=,._-]+)*\/?$/),
  {
    rule: `!self.matches('(^|/)[.][.](/|$)')`,
    message: "must not hold .. segments",
    check: (value) => !/(^|\/)\.\.(\/|$)/.test(value),
  },
);

const code = cel(
  z.strictObject({
    configMapRef: z
      .strictObject({ name: objectName.describe("The ConfigMap's name.") })
      .optional()
      .describe("A ConfigMap in this namespace whose keys are files in /opt/ml/code."),
    gitRepositoryRef: z
      .strictObject({
        name: objectName.describe("The GitRepository's name."),
        path: folder
          .optional()
          .describe("The folder of the repository whose content is in /opt/ml/code. Default: the whole repository."),
      })
      .optional()
      .describe(
        "A GitRepository of Flux in this namespace: its newest commit is the code, verified by its digest. At most 1 GiB and 100,000 files and folders, without links.",
      ),
  }),
  {
    rule: "has(self.configMapRef) != has(self.gitRepositoryRef)",
    message: "give exactly one of configMapRef and gitRepositoryRef",
    check: (value) => (value.configMapRef !== undefined) !== (value.gitRepositoryRef !== undefined),
  },
);

export const trainingTemplate = z.strictObject({
  container: container.describe("The container that trains."),
  ...podSettings,
});
export type TrainingTemplate = z.output<typeof trainingTemplate>;

const spec = z.strictObject({
  modelRef: z
    .strictObject({ name: objectName.describe("The Model, in this namespace.") })
    .describe("The Model that each successful run makes a version of."),
  runtimeRef: z
    .strictObject({ name: objectName.describe("The TrainingRuntime's name.") })
    .optional()
    .describe("The TrainingRuntime that the container comes from. Default: the one that lists the model's format."),
  template: trainingTemplate.optional().describe("A container of your own instead of a TrainingRuntime."),
  code: code.optional().describe("The training code. Default: it is in the image."),
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
  queueName: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .optional()
    .describe(
      "A Kueue LocalQueue in this namespace: each run waits suspended until Kueue admits it. Default: runs start at once.",
    ),
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
    .describe("What starts a run beside a change of this spec or of its code."),
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

export const runPhases = ["Queued", "Pending", "Running", "Succeeded", "Failed"] as const;
const runStatus = z.strictObject({
  job: z.string().max(253).optional().describe("The Job that runs it."),
  digest: digest.describe("The digest of all the run's inputs."),
  phase: z.enum(runPhases).describe("How far it is."),
  trigger: z.enum(["Spec", "DatasetChange"]).describe("What started it: the manifest or its code, or new data."),
  commit: z.string().max(128).optional().describe("The Git commit that its code is from."),
  inputs: z
    .array(
      z.strictObject({
        name: z.string().max(63).describe("The input's name."),
        dataset: objectName.describe("The Dataset."),
        version: z.int().describe("The Dataset's version."),
      }),
    )
    .max(16)
    .optional()
    .describe("The data that it trains on."),
  metrics: metricValues.optional().describe("What the training container wrote to /opt/ml/output/metrics.json."),
  modelVersion: z.int().optional().describe("The version of the Model that the run made."),
  reason: z.string().max(128).optional().describe("Why it failed, in one word."),
  message: z.string().max(1024).optional().describe("Why it failed, in words."),
  startedAt: z.string().max(64).optional().describe("When it began."),
  finishedAt: z.string().max(64).optional().describe("When it ended."),
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
