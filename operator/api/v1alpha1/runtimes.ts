import { z } from "zod";
import { container, dnsName, listMap, type ObjectMeta, podSettings } from "./common.ts";
import { metricsPort, port } from "./inference-service.ts";
import { ageColumn, type KindDefinition } from "./kind.ts";

const formats = listMap(
  z
    .array(z.strictObject({ name: dnsName.describe("The format's name, as in a Model's spec.format.name.") }))
    .min(1)
    .max(32),
  ["name"],
).describe("The model formats it works with. Where several runtimes list a format, the first by name is the default.");

export const servingRuntimeSpec = z.strictObject({
  formats,
  container: container.describe(
    "The server. The model is in /mnt/models; MODEL_NAME is set, and the Open Inference Protocol v2 is expected at port.",
  ),
  port,
  metricsPort,
  ...podSettings,
});
export type ServingRuntimeSpec = z.output<typeof servingRuntimeSpec>;

export const trainingRuntimeSpec = z.strictObject({
  formats,
  container: container.describe("The trainer. Parameters are added to its args as --name value."),
  ...podSettings,
});
export type TrainingRuntimeSpec = z.output<typeof trainingRuntimeSpec>;

export interface ServingRuntime {
  apiVersion: string;
  kind: "ServingRuntime";
  metadata: ObjectMeta;
  spec: ServingRuntimeSpec;
}
export interface TrainingRuntime {
  apiVersion: string;
  kind: "TrainingRuntime";
  metadata: ObjectMeta;
  spec: TrainingRuntimeSpec;
}

const columns = [
  { name: "Formats", type: "string" as const, jsonPath: ".spec.formats[*].name" },
  { name: "Image", type: "string" as const, jsonPath: ".spec.container.image" },
  ageColumn,
];

export const servingRuntimeKind: KindDefinition = {
  kind: "ServingRuntime",
  plural: "servingruntimes",
  singular: "servingruntime",
  shortNames: ["srt"],
  scope: "Cluster",
  description: "How models of some formats are served: the platform team's container for InferenceServices.",
  spec: servingRuntimeSpec,
  columns,
};
export const trainingRuntimeKind: KindDefinition = {
  kind: "TrainingRuntime",
  plural: "trainingruntimes",
  singular: "trainingruntime",
  shortNames: ["trt"],
  scope: "Cluster",
  description: "How models of some formats are trained: the platform team's container for TrainingJobs.",
  spec: trainingRuntimeSpec,
  columns,
};
