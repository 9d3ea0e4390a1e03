import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { Model } from "../../api/v1alpha1/model.ts";
import type { ServingRuntime } from "../../api/v1alpha1/runtimes.ts";
import type { ModelRecord } from "../../store/api.ts";
import { jobsOf, type ObservedJobs, type World } from "../context.ts";
import { type Answer, askStore } from "../records.ts";

/** All that a Model's plan depends on. */
export interface ObservedModel extends ObservedJobs {
  model: Model;
  /** The Dataset that versions are judged by. */
  dataset: Dataset | undefined;
  runtimes: readonly ServingRuntime[];
  record: Answer<ModelRecord>;
}

export async function observeModel(world: World, model: Model): Promise<ObservedModel> {
  const { caches, store } = world;
  const { name, namespace = "" } = model.metadata;
  const datasetName = model.spec.evaluation?.datasetRef.name;
  return {
    model,
    ...jobsOf(world, model),
    dataset: datasetName ? caches.datasets.get(namespace, datasetName) : undefined,
    runtimes: caches.servingRuntimes.list(),
    record: await askStore(() => store.model(namespace, name)),
  };
}
