import type { DatasetStatus } from "../../api/v1alpha1/dataset.ts";
import { jobs as jobResource } from "../../kube/resources.ts";
import type { Plan, PlannedEvent } from "../../runtime/plan.ts";
import type { DatasetRecord } from "../../store/api.ts";
import { jobFailure, retryAt, startTrouble } from "../children/failure.ts";
import type { PodSettings } from "../children/pod.ts";
import { finishedAt, isComplete, isFailed, isFinished, type Job } from "../children/types.ts";
import { annotations } from "../labels.ts";
import { delayedPlan, deletion, outcomeOf } from "../outcome.ts";
import { conditionsOf, type Verdict } from "../verdict.ts";
import { type Look, wantedLook } from "./look.ts";
import type { ObservedDataset } from "./observe.ts";
import { buildSnapshotJob } from "./snapshot-job.ts";

/** What to do about a Dataset: one snapshot Job for each look that its manifest asks for. */
export function planDataset(observed: ObservedDataset, settings: PodSettings, now: Date): Plan<DatasetStatus> {
  const { dataset, record, jobs } = observed;
  if ("unavailable" in record) return delayedPlan(dataset, record.unavailable, now);
  let look: Look;
  try {
    look = wantedLook(dataset, now);
  } catch (error) {
    return invalidSchedule(observed, error as SyntaxError, now);
  }
  const job = jobs.find((candidate) => candidate.metadata.annotations?.[annotations.look] === look.id);
  const running = jobs.find((candidate) => candidate !== job && !isFinished(candidate));
  const stale = running && running.metadata.annotations?.[annotations.recipe] !== look.recipe;
  const done = dataset.status?.look === look.id || (job !== undefined && isComplete(job));
  const failed = job && isFailed(job) ? job : undefined;
  const retry = failed ? retryAt(failed, observed.pods.get(failed.metadata.name) ?? []) : undefined;

  const start = !done && !job && (!running || stale);
  const surplus = jobs.filter((candidate) => candidate !== job && (isFinished(candidate) || stale));
  if (failed && retry && retry <= now) surplus.push(failed);
  const conclusion = conclude(observed, { look, job, done, retry });
  return {
    apply: start ? [{ resource: jobResource, object: buildSnapshotJob(dataset, look, settings) }] : [],
    delete: surplus.map(deletion),
    status: projectStatus(observed, { record: record.found, verdict: conclusion.verdict, look, job, done }, now),
    events: conclusion.events,
    outcome: outcomeOf(conclusion.verdict, [look.next, retry], now),
  };
}

interface Progress {
  look: Look;
  job: Job | undefined;
  done: boolean;
  /** When a failed look is made again; absent when only the user can mend it. */
  retry: Date | undefined;
}

function conclude(
  { dataset, pods, record }: ObservedDataset,
  { job, done, retry }: Progress,
): { verdict: Verdict; events: PlannedEvent[] } {
  const current = "found" in record ? currentVersion(record.found) : undefined;
  const what = current ? `version ${current.version} with ${current.rows} rows is current` : "the source was read";
  // The store may know the version before its Job is seen to have ended.
  const news: PlannedEvent[] =
    current && current.version !== dataset.status?.version
      ? [{ type: "Normal", reason: "VersionCurrent", message: what }]
      : [];
  if (done) return { verdict: { state: "ready", reason: "VersionCurrent", message: what }, events: news };
  const podsOfJob = job ? (pods.get(job.metadata.name) ?? []) : [];
  const failure = job ? jobFailure(job, podsOfJob) : undefined;
  if (failure) {
    const keeps = current ? `; version ${current.version} stays current` : "";
    const again = retry ? `; next try at ${retry.toISOString()}` : "";
    const { reason } = failure;
    const verdict: Verdict = {
      state: retry ? "waiting" : "stalled",
      reason,
      message: `${failure.message}${keeps}${again}`,
    };
    return { verdict, events: [{ type: "Warning", reason, message: `${failure.message}${keeps}` }] };
  }
  const trouble = startTrouble(podsOfJob);
  const reason = trouble?.reason ?? "Snapshotting";
  const message = trouble?.message ?? `reading ${dataset.spec.source?.uri.split("?")[0]}`;
  const warning: PlannedEvent[] = trouble ? [{ type: "Warning", reason, message }] : [];
  const verdict: Verdict = { state: "progressing", reason, message, ready: current !== undefined && !trouble };
  return { verdict, events: [...news, ...warning] };
}

function projectStatus(
  { dataset }: ObservedDataset,
  {
    record,
    verdict,
    look,
    job,
    done,
  }: { record: DatasetRecord; verdict: Verdict; look: Look; job: Job | undefined; done: boolean },
  now: Date,
): DatasetStatus {
  const current = currentVersion(record);
  const label = current?.columns.find(({ role }) => role === "Label")?.name;
  const lastChecked = (done && job && finishedAt(job)) || dataset.status?.lastChecked;
  const lookDone = done ? look.id : dataset.status?.look;
  return {
    observedGeneration: dataset.metadata.generation ?? 0,
    conditions: conditionsOf(dataset, { verdict }, now),
    ...(current
      ? {
          version: current.version,
          digest: current.digest,
          rows: current.rows,
          bytes: current.bytes,
          splits: current.splits,
        }
      : {}),
    ...(label ? { label } : {}),
    ...(lastChecked ? { lastChecked } : {}),
    ...(lookDone ? { look: lookDone } : {}),
    versions: record.versions
      .slice(0, 10)
      .map(({ version, digest, rows, bytes, createdAt }) => ({ version, digest, rows, bytes, createdAt })),
  };
}

function currentVersion(record: DatasetRecord) {
  return record.versions.find(({ version }) => version === record.current);
}

function invalidSchedule({ dataset }: ObservedDataset, error: SyntaxError, now: Date): Plan<DatasetStatus> {
  const verdict: Verdict = { state: "stalled", reason: "InvalidSchedule", message: error.message };
  const observedGeneration = dataset.metadata.generation ?? 0;
  return {
    apply: [],
    delete: [],
    status: { ...dataset.status, observedGeneration, conditions: conditionsOf(dataset, { verdict }, now) },
    events: [{ type: "Warning", reason: verdict.reason, message: verdict.message }],
    outcome: { kind: "stalled" },
  };
}
