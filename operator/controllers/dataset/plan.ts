import type { DatasetStatus } from "../../api/v1alpha1/dataset-status.ts";
import type { Plan } from "../../runtime/plan.ts";
import type { DatasetRecord, DatasetVersion } from "../../store/api.ts";
import { jobChild } from "../children/job.ts";
import type { PodSettings } from "../children/pod.ts";
import { isFinished } from "../children/types.ts";
import { delayedPlan, deletion, outcomeOf } from "../outcome.ts";
import { planFeatures } from "./features.ts";
import type { ObservedDataset } from "./observe.ts";
import { freshnessOf } from "./quality.ts";
import { projectStatus } from "./status.ts";
import { planWork } from "./work.ts";

/** How often the store is asked how far a reading has come. */
const progressMs = 5_000;

/** What to do about a Dataset: a Job for each look that its manifest or its inputs ask for, and the feature server. */
export function planDataset(observed: ObservedDataset, settings: PodSettings, now: Date): Plan<DatasetStatus> {
  const { dataset, record } = observed;
  if ("unavailable" in record) return delayedPlan(dataset, record.unavailable, now);
  const current = currentVersion(record.found);
  const work = planWork(observed, { current, settings }, now);
  const features = planFeatures(observed, settings, current !== undefined);
  const freshness = freshnessOf(dataset, current, now);
  const reads = observed.jobs.some((job) => !isFinished(job));
  const asks = reads ? new Date(now.getTime() + progressMs) : undefined;
  return {
    apply: [...work.start.map(jobChild), ...features.apply],
    delete: [...work.surplus.map(deletion), ...features.delete],
    status: projectStatus(observed, { record: record.found, current, work, freshness }, now),
    events: [...work.events, ...freshness.events],
    outcome: outcomeOf(work.verdict, [work.next, work.retry, freshness.until, asks], now),
  };
}

function currentVersion({ versions, current }: DatasetRecord): DatasetVersion | undefined {
  return versions.find(({ version }) => version === current);
}
