import { z } from "zod";
import {
  cel,
  commonStatus,
  digest,
  dnsName,
  listMap,
  metricValues,
  namedMap,
  type ObjectMeta,
  objectName,
  resources,
} from "./common.ts";
import { ageColumn, type KindDefinition, readyColumn, reasonColumn } from "./kind.ts";
import { access, artifactUri, withAccessRules } from "./location.ts";

const classificationMetrics = ["accuracy", "precision", "recall", "f1", "log_loss", "roc_auc"] as const;
const regressionMetrics = ["mae", "rmse", "r2"] as const;
const latencyMetrics = ["latency_p50_ms", "latency_p99_ms"] as const;
/** What an evaluation measures and a gate may ask for. */
export const evaluationMetrics = [...classificationMetrics, ...regressionMetrics, ...latencyMetrics] as const;
export type EvaluationMetric = (typeof evaluationMetrics)[number];

const gate = [
  {
    rule: "has(self.min) || has(self.max) || has(self.against)",
    message: "give at least one of min, max or against",
    check: (value: Gate) => value.min !== undefined || value.max !== undefined || value.against !== undefined,
  },
  {
    rule: "has(self.against) || !(has(self.minDelta) || has(self.maxDelta))",
    message: "minDelta and maxDelta need against: champion",
    check: (value: Gate) =>
      value.against !== undefined || (value.minDelta === undefined && value.maxDelta === undefined),
  },
  {
    rule: "!has(self.min) || !has(self.max) || self.min <= self.max",
    message: "min must not be greater than max",
    check: (value: Gate) => value.min === undefined || value.max === undefined || value.min <= value.max,
  },
].reduce(
  cel,
  z.strictObject({
    metric: z
      .enum(evaluationMetrics)
      .describe("What is judged. Latencies are milliseconds of one-row requests to the serving runtime."),
    min: z.number().optional().describe("The least value that passes."),
    max: z.number().optional().describe("The greatest value that passes."),
    against: z
      .enum(["champion"])
      .optional()
      .describe(
        "Compare with the champion on the same data. Passes when there is no champion. Without minDelta and maxDelta: not worse than the champion.",
      ),
    minDelta: z.number().optional().describe("The least value of candidate minus champion that passes."),
    maxDelta: z.number().optional().describe("The greatest value of candidate minus champion that passes."),
  }),
);
interface Gate {
  metric: EvaluationMetric;
  min?: number | undefined;
  max?: number | undefined;
  against?: "champion" | undefined;
  minDelta?: number | undefined;
  maxDelta?: number | undefined;
}
export type ModelGate = Gate;

const imported = withAccessRules(
  z.strictObject({
    uri: artifactUri.describe(
      "The model's file, or a folder or prefix that ends in /, at any place that a Dataset's files may be at.",
    ),
    digest: digest.describe("sha256 of the file; of the manifest where the uri is a folder."),
    ...access,
  }),
);
export type ModelImportSource = z.output<typeof imported>;

const spec = z.strictObject({
  description: z.string().max(1024).optional().describe("What the model is for, for people."),
  task: z.enum(["Classification", "Regression"]).describe("What the model does; decides which metrics exist."),
  format: z
    .strictObject({ name: dnsName.describe("The format's name, such as sklearn.") })
    .describe("How the model is stored; decides which runtimes can train and serve it."),
  imports: listMap(z.array(imported).max(32), ["digest"])
    .optional()
    .describe("Models that were trained elsewhere; each becomes a version and goes through the same gates."),
  evaluation: z
    .strictObject({
      datasetRef: z
        .strictObject({
          name: objectName.describe("The Dataset, in this namespace. It needs a column with the role Label."),
          split: dnsName.default("test").describe("The split that is held out from training."),
        })
        .describe("The data to judge by: the Dataset's current version when the evaluation begins."),
      runtimeRef: z
        .strictObject({ name: objectName.describe("The ServingRuntime's name.") })
        .optional()
        .describe("The ServingRuntime to evaluate in. Default: the one that lists the model's format."),
      resources: resources
        .optional()
        .describe(
          "CPU, memory and accelerators of the runtime while it is evaluated. Default: as the namespace gives them.",
        ),
    })
    .optional()
    .describe("How each version is judged: the serving runtime loads it and predicts the held-out split."),
  gates: z.array(gate).max(32).optional().describe("What a version must pass to become champion."),
  promotion: z
    .enum(["Automatic", "Manual"])
    .default("Automatic")
    .describe("Automatic: a version that passes its gates becomes champion. Manual: only spec.aliases moves champion."),
  aliases: namedMap(z.int().min(1).max(2147483647), 16)
    .optional()
    .describe("Aliases pinned to versions, such as {champion: 3}. Rolling back is setting an older version here."),
});

export const modelSpec = [
  {
    rule: "!has(self.gates) || size(self.gates) == 0 || has(self.evaluation)",
    message: "gates need evaluation: name the dataset to judge by in evaluation.datasetRef",
    check: (value: ModelSpec) => !value.gates?.length || value.evaluation !== undefined,
  },
  {
    rule: `!has(self.gates) || self.gates.all(g, g.metric.startsWith('latency_') || (self.task == 'Classification') == (g.metric in ['${classificationMetrics.join("', '")}']))`,
    message: `Classification has the metrics ${classificationMetrics.join(", ")}; Regression has ${regressionMetrics.join(", ")}; both have ${latencyMetrics.join(", ")}`,
    check: (value: ModelSpec) =>
      (value.gates ?? []).every(
        ({ metric }) =>
          metric.startsWith("latency_") ||
          (value.task === "Classification") === (classificationMetrics as readonly string[]).includes(metric),
      ),
  },
].reduce(cel, spec);
export type ModelSpec = z.output<typeof spec>;

const gateStatus = z.strictObject({
  metric: z.string().max(128).describe("What was judged."),
  passed: z.boolean().describe("Whether all that the gate says holds."),
  message: z.string().max(512).describe("What was asked, and what was found."),
});

export const stages = ["Candidate", "Champion", "Passed", "Failed", "Archived"] as const;
const versionStatus = z.strictObject({
  version: z.int().describe("Its number."),
  digest: digest.describe("The sha256 of the list of its files."),
  source: z.string().max(512).describe("The run or the uri that it came from."),
  stage: z
    .enum(stages)
    .describe(
      "Candidate: not judged yet. Passed: awaits promotion. Failed: a gate refused it. Archived: was champion.",
    ),
  evaluatedOn: z
    .strictObject({
      dataset: objectName.describe("The Dataset."),
      version: z.int().describe("Its version."),
      digest: digest.describe("That version's digest."),
    })
    .optional()
    .describe("The dataset version that it is judged on."),
  metrics: metricValues.optional().describe("What its evaluation measured."),
  gates: z.array(gateStatus).max(32).optional().describe("How each gate was passed or not, in the manifest's order."),
  message: z.string().max(1024).optional().describe("Why it passed or failed."),
});
export type ModelVersionStatus = z.output<typeof versionStatus>;

export const modelStatus = z.strictObject({
  ...commonStatus,
  champion: z.int().optional().describe("The version that the alias champion names."),
  aliases: z
    .record(z.string().max(63), z.int())
    .meta({ maxProperties: 17 })
    .optional()
    .describe("Each alias and the version that it names."),
  versions: z
    .array(versionStatus)
    .max(40)
    .optional()
    .describe("The newest versions and those that aliases name; the store has all."),
});
export type ModelStatus = z.output<typeof modelStatus>;

export interface Model {
  apiVersion: string;
  kind: "Model";
  metadata: ObjectMeta;
  spec: ModelSpec;
  status?: ModelStatus;
}

export const modelKind: KindDefinition = {
  kind: "Model",
  plural: "models",
  singular: "model",
  shortNames: ["mdl"],
  scope: "Namespaced",
  description: "A model's versions, how they are judged, and which of them is champion.",
  spec: modelSpec,
  status: modelStatus,
  columns: [
    { name: "Task", type: "string", jsonPath: ".spec.task" },
    { name: "Champion", type: "integer", jsonPath: ".status.champion" },
    { name: "Latest", type: "integer", jsonPath: ".status.versions[0].version" },
    { name: "Stage", type: "string", jsonPath: ".status.versions[0].stage", description: "Of the latest version." },
    readyColumn,
    reasonColumn,
    ageColumn,
  ],
};
