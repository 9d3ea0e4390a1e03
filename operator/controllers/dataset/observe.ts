import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { DatasetRecord } from "../../store/api.ts";
import { jobsOf, type ObservedJobs, type World, workloadIndex } from "../context.ts";
import { type Answer, askStore } from "../records.ts";
import { featuresName } from "./feature-server.ts";
import type { ObservedFeatures } from "./features.ts";
import { ancestors, type Others } from "./inputs.ts";

/** All that a Dataset's plan depends on. */
export interface ObservedDataset extends ObservedJobs {
  dataset: Dataset;
  /** What it is derived from, directly or not. */
  others: Others;
  features: ObservedFeatures;
  record: Answer<DatasetRecord>;
}

export async function observeDataset(world: World, dataset: Dataset): Promise<ObservedDataset> {
  const { caches, store } = world;
  const { name, namespace = "" } = dataset.metadata;
  const features = featuresName(dataset);
  return {
    dataset,
    others: ancestors(dataset, (other) => caches.datasets.get(namespace, other)),
    ...jobsOf(world, dataset),
    features: {
      deployment: caches.deployments.get(namespace, features),
      pods: caches.pods.byIndex(workloadIndex, `${namespace}/${features}`),
      service: caches.services.get(namespace, features),
      monitor: caches.serviceMonitors.get(namespace, features),
      hasServiceMonitors: world.has("serviceMonitors"),
    },
    // After the Jobs: a Job that is seen to have ended has told the store.
    record: await askStore(() => store.dataset(namespace, name)),
  };
}
