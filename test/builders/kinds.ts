/** Objects of our kinds as the API server would hand them out: defaults filled in, with uid and generation. */
import { apiVersion } from "../../operator/api/v1alpha1/common.ts";
import { type Dataset, datasetSpec } from "../../operator/api/v1alpha1/dataset.ts";
import { type InferenceService, inferenceServiceSpec } from "../../operator/api/v1alpha1/inference-service.ts";
import { type Model, modelSpec } from "../../operator/api/v1alpha1/model.ts";
import type { ServingRuntime, TrainingRuntime } from "../../operator/api/v1alpha1/runtimes.ts";
import { type TrainingJob, trainingJobSpec } from "../../operator/api/v1alpha1/training-job.ts";

export const namespace = "team-a";
/** The time at which tests begin; objects were made a minute before. */
export const start = new Date("2026-03-01T10:07:00Z");

export function metadataOf(name: string, kind: string) {
  return { name, namespace, uid: `uid-${kind}-${name}`, generation: 1, creationTimestamp: "2026-03-01T10:06:00Z" };
}

export function dataset(spec: object = {}, status?: Dataset["status"]): Dataset {
  const given = { source: { uri: "http://host/wine.csv" }, ...spec };
  return withStatus(
    { apiVersion, kind: "Dataset", metadata: metadataOf("wine", "dataset"), spec: datasetSpec.parse(given) },
    status,
  );
}

export function trainingJob(spec: object = {}, status?: TrainingJob["status"]): TrainingJob {
  const given = {
    ...{ modelRef: { name: "wine" }, inputs: [{ name: "train", datasetRef: { name: "wine", split: "train" } }] },
    ...spec,
  };
  const metadata = metadataOf("wine", "trainingjob");
  return withStatus({ apiVersion, kind: "TrainingJob", metadata, spec: trainingJobSpec.parse(given) }, status);
}

export function model(spec: object = {}, status?: Model["status"]): Model {
  const given = {
    ...{ task: "Classification", format: { name: "sklearn" }, evaluation: { datasetRef: { name: "wine" } } },
    ...spec,
  };
  return withStatus(
    { apiVersion, kind: "Model", metadata: metadataOf("wine", "model"), spec: modelSpec.parse(given) },
    status,
  );
}

export function inferenceService(spec: object = {}, status?: InferenceService["status"]): InferenceService {
  const given = { modelRef: { name: "wine" }, ...spec };
  const metadata = metadataOf("wine", "inferenceservice");
  return withStatus(
    { apiVersion, kind: "InferenceService", metadata, spec: inferenceServiceSpec.parse(given) },
    status,
  );
}

export const servingRuntime: ServingRuntime = {
  ...{ apiVersion, kind: "ServingRuntime", metadata: { name: "mlserver" } },
  spec: { formats: [{ name: "sklearn" }], container: { image: "serve:1" }, port: 8080, metricsPort: 8082 },
};

export const trainingRuntime: TrainingRuntime = {
  ...{ apiVersion, kind: "TrainingRuntime", metadata: { name: "sklearn" } },
  spec: { formats: [{ name: "sklearn" }], container: { image: "train:1", command: ["train"] } },
};

/** A Dataset that has a version with both splits and a label. */
export function readyDataset(version = 1): Dataset {
  return dataset(
    {},
    {
      ...{ version, digest: digestOf(`dataset ${version}`), rows: 100, bytes: 1000, label: "class" },
      splits: { train: 80, test: 20 },
    },
  );
}

/** A digest that is the same for the same text. */
export function digestOf(text: string): string {
  const hex = Buffer.from(text).toString("hex").slice(-64).padStart(64, "0");
  return `sha256:${hex}`;
}

function withStatus<T extends object>(object: T, status: unknown): T {
  return status === undefined ? object : ({ ...object, status } as T);
}
