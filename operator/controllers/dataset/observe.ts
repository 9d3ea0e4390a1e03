import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { DatasetRecord } from "../../store/api.ts";
import type { Job, Pod } from "../children/types.ts";
import { jobsOf, type World } from "../context.ts";
import { type Answer, askStore } from "../records.ts";

/** All that a Dataset's plan depends on. */
export interface ObservedDataset {
  dataset: Dataset;
  jobs: readonly Job[];
  pods: ReadonlyMap<string, readonly Pod[]>;
  record: Answer<DatasetRecord>;
}

export async function observeDataset(world: World, dataset: Dataset): Promise<ObservedDataset> {
  const { name, namespace = "" } = dataset.metadata;
  return { dataset, ...jobsOf(world, dataset), record: await askStore(() => world.store.dataset(namespace, name)) };
}
