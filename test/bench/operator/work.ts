/** What the benchmark makes the operator do, and the children that it comes to. */
import { apiVersion } from "../../../operator/api/v1alpha1/common.ts";
import { inferenceServiceSpec } from "../../../operator/api/v1alpha1/inference-service.ts";
import { modelSpec } from "../../../operator/api/v1alpha1/model.ts";
import { trainingJobSpec } from "../../../operator/api/v1alpha1/training-job.ts";
import { planInferenceService } from "../../../operator/controllers/inference-service/plan.ts";
import { planTrainingJob } from "../../../operator/controllers/training-job/plan.ts";
import type { KubeObject, Resource } from "../../../operator/kube/types.ts";
import { nothingServed, nothingTrained } from "../../builders/observed.ts";
import { settings } from "../../builders/settings.ts";

export interface Child {
  resource: Resource;
  object: KubeObject;
}

/** A kind under measurement: its objects, and the children that the operator makes of each. */
export interface Work {
  kind: "InferenceService" | "TrainingJob";
  childKinds: readonly string[];
  objectOf(namespace: string, index: number): KubeObject;
  childrenOf(object: KubeObject): readonly Child[];
}

const metadataOf = (namespace: string, index: number) => ({
  namespace,
  name: `bench-${String(index).padStart(5, "0")}`,
});

export const model: KubeObject & { spec: object } = {
  ...{ apiVersion, kind: "Model", metadata: { name: "bench" } },
  spec: { task: "Classification", format: { name: "sklearn" } },
};

/** What the API server would fill in. */
const served = (object: KubeObject) => ({ ...object.metadata, uid: `uid-${object.metadata.name}`, generation: 1 });

export const works: readonly Work[] = [
  {
    kind: "InferenceService",
    childKinds: ["Deployment", "Service"],
    objectOf: (namespace, index) =>
      ({
        ...{ apiVersion, kind: "InferenceService", metadata: metadataOf(namespace, index) },
        spec: { storageUri: `s3://models/${index}/`, runtimeRef: { name: "mlserver" } },
      }) as KubeObject,
    childrenOf: (object) =>
      planInferenceService(
        {
          ...nothingServed,
          service: {
            ...{ apiVersion, kind: "InferenceService", metadata: served(object) },
            spec: inferenceServiceSpec.parse((object as unknown as { spec: unknown }).spec),
          },
        },
        settings,
        new Date(),
      ).apply,
  },
  {
    kind: "TrainingJob",
    childKinds: ["Job"],
    objectOf: (namespace, index) =>
      ({
        ...{ apiVersion, kind: "TrainingJob", metadata: metadataOf(namespace, index) },
        spec: { modelRef: { name: "bench" }, parameters: { seed: index } },
      }) as KubeObject,
    childrenOf: (object) =>
      planTrainingJob(
        {
          ...nothingTrained,
          trainingJob: {
            ...{ apiVersion, kind: "TrainingJob", metadata: served(object) },
            spec: trainingJobSpec.parse((object as unknown as { spec: unknown }).spec),
          },
          model: {
            ...{ apiVersion, kind: "Model" as const, metadata: served(model) },
            spec: modelSpec.parse(model.spec),
          },
        },
        settings,
        new Date(),
      ).apply,
  },
];
