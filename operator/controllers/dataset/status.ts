import type { DatasetStatus } from "../../api/v1alpha1/dataset-status.ts";
import type { DatasetRecord, DatasetVersion, Parent } from "../../store/api.ts";
import { isFinished } from "../children/types.ts";
import { conditionsOf } from "../verdict.ts";
import { featuresUrl } from "./feature-server.ts";
import { featuresCondition } from "./features.ts";
import type { ObservedDataset } from "./observe.ts";
import { progressText } from "./progress.ts";
import { expectationsCondition, type Freshness } from "./quality.ts";
import type { Work } from "./work.ts";

interface Facts {
  record: DatasetRecord;
  current: DatasetVersion | undefined;
  work: Work;
  freshness: Freshness;
}

export function projectStatus(observed: ObservedDataset, facts: Facts, now: Date): DatasetStatus {
  const { dataset, jobs } = observed;
  const { record, current, work, freshness } = facts;
  const before = dataset.status;
  const own = [
    ...expectationsCondition(dataset, current, work.failure),
    ...freshness.conditions,
    ...featuresCondition(observed),
  ];
  const lastChecked = work.checked ?? before?.lastChecked;
  const look = work.isLost ? undefined : (work.look ?? before?.look);
  const reads = jobs.some((job) => !isFinished(job));
  return {
    observedGeneration: dataset.metadata.generation ?? 0,
    conditions: conditionsOf(dataset, { verdict: work.verdict, own }, now),
    ...(current ? versionStatus(current) : {}),
    ...(lastChecked ? { lastChecked } : {}),
    ...(look ? { look } : {}),
    ...(reads && record.progress ? { progress: progressText(record.progress) } : {}),
    ...(dataset.spec.online ? { url: featuresUrl(dataset) } : {}),
    versions: record.versions
      .slice(0, 10)
      .map(({ version, digest, rows, bytes, createdAt }) => ({ version, digest, rows, bytes, createdAt })),
  };
}

function versionStatus(current: DatasetVersion): Partial<DatasetStatus> {
  const { version, digest, revision, rows, bytes, splits, columns, newest, expectations, parents } = current;
  const label = columns.find(({ role }) => role === "Label")?.name;
  return {
    ...{ version, digest, rows, bytes, splits },
    ...(revision ? { revision } : {}),
    ...(label ? { label } : {}),
    ...(newest ? { newest } : {}),
    ...(expectations ? { expectations } : {}),
    ...(parents ? { parents: parents.map(parentStatus) } : {}),
  };
}

function parentStatus({ dataset, version, digest, revision }: Parent) {
  return { name: dataset, version, digest, ...(revision ? { revision } : {}) };
}
