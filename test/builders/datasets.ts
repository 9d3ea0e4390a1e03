/** All that a Dataset's plan depends on, with nothing beside it unless a test says so. */
import type { Dataset } from "../../operator/api/v1alpha1/dataset.ts";
import type { ObservedDataset } from "../../operator/controllers/dataset/observe.ts";
import { dataset, digestOf, metadataOf } from "./kinds.ts";
import { datasetRecord } from "./records.ts";

export function observedDataset(changes: Partial<ObservedDataset> = {}): ObservedDataset {
  const features = { deployment: undefined, pods: [], service: undefined, monitor: undefined };
  return {
    ...{ dataset: dataset(), others: new Map(), jobs: [], pods: new Map() },
    ...{ features: { ...features, hasServiceMonitors: false }, record: { found: datasetRecord(0) } },
    ...changes,
  };
}

/** A Dataset that is derived from others of these names by plain SQL. */
export function derivedDataset(name: string, from: readonly string[], status?: Dataset["status"]): Dataset {
  const spec = {
    from: from.map((other) => ({ name: other.replaceAll("-", "_"), datasetRef: { name: other } })),
    transform: { sql: "SELECT 1" },
  };
  const { spec: parsed, ...rest } = dataset({ ...spec, source: undefined }, status);
  return { ...rest, metadata: metadataOf(name, "dataset"), spec: parsed };
}

/** A version as a status names it. */
export const versionOf = (name: string, version: number) => ({ version, digest: digestOf(`${name} ${version}`) });
