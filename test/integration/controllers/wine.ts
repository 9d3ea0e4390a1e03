/** The wine example, as small as these tests need it, and how its objects stand. */
import type { Seen } from "./world.ts";

export type Manifest = Omit<Seen, "apiVersion"> & { apiVersion?: string };
export const metadata = { name: "wine" };
export const manifests: Record<"dataset" | "trainingJob" | "model" | "service", Manifest> = {
  dataset: {
    ...{ kind: "Dataset", metadata },
    spec: { source: { uri: "http://host/wine.csv" }, splits: { train: 80, test: 20 } },
  },
  trainingJob: {
    ...{ kind: "TrainingJob", metadata },
    spec: {
      ...{ modelRef: { name: "wine" }, triggers: { datasetChange: true } },
      inputs: [{ name: "train", datasetRef: { name: "wine", split: "train" } }],
    },
  },
  model: {
    ...{ kind: "Model", metadata },
    spec: {
      ...{ task: "Classification", format: { name: "sklearn" }, evaluation: { datasetRef: { name: "wine" } } },
      gates: [{ metric: "accuracy", min: 0.9 }],
    },
  },
  service: { kind: "InferenceService", metadata, spec: { modelRef: { name: "wine" } } },
};
export const inReverse = [manifests.service, manifests.model, manifests.trainingJob, manifests.dataset];
export const kindsOfOurs = ["Dataset", "TrainingJob", "Model", "InferenceService"];

export const ready = ({ metadata: { generation }, status }: Seen) =>
  status?.observedGeneration === generation &&
  status.conditions.some((condition: Seen) => condition.type === "Ready" && condition.status === "True") &&
  !status.conditions.some((condition: Seen) => condition.type === "Reconciling");
export const reason = (object: Seen) => object.status?.conditions?.find(({ type }: Seen) => type === "Ready")?.reason;
