/** The look that is wanted: whether it has been made, is being made, has failed, or must wait. */
import type { KubeObject } from "../../kube/types.ts";
import type { PlannedEvent } from "../../runtime/plan.ts";
import type { DatasetVersion } from "../../store/api.ts";
import { jobFailure, retryAt, startTrouble, type Trouble } from "../children/failure.ts";
import type { PodSettings } from "../children/pod.ts";
import { isComplete, isFailed, isFinished, type Job } from "../children/types.ts";
import { annotations } from "../labels.ts";
import { isVerdict } from "../runtime-template.ts";
import type { Verdict } from "../verdict.ts";
import { buildLookJob } from "./job.ts";
import { type Look, wantedLook } from "./look.ts";
import type { ObservedDataset } from "./observe.ts";
import { unmetExpectations } from "./quality.ts";
import { taskBytes, taskOf } from "./task.ts";

export interface Work {
  /** Jobs to make: one, or none. */
  start: KubeObject[];
  /** Jobs to delete. */
  surplus: Job[];
  verdict: Verdict;
  events: PlannedEvent[];
  /** When the schedule asks for the next look. */
  next?: Date | undefined;
  /** When a failed look is made again; absent when only the user can mend it. */
  retry?: Date | undefined;
  /** The look that has ended, and the Job that made it, while it is there. */
  done?: { look: string; job: Job | undefined };
  /** Why the wanted look has failed. */
  failure?: Trouble | undefined;
  /** The store knew a version and knows none any more. */
  isLost: boolean;
}

interface Context {
  current: DatasetVersion | undefined;
  settings: PodSettings;
}

export function planWork(observed: ObservedDataset, context: Context, now: Date): Work {
  const { dataset, others } = observed;
  const look = wantedLook(dataset, others, now);
  const isLost = !context.current && dataset.status?.version !== undefined;
  if (isVerdict(look)) return { ...hindered(observed, look, context), isLost };
  const problem = tooLarge(observed, look, context.settings);
  if (problem) return { ...hindered(observed, problem, context), isLost };
  return lookWork(observed, { ...context, look, isLost }, now);
}

/** Nothing new is begun; what is there serves on. */
function hindered({ dataset }: ObservedDataset, problem: Verdict, { current }: Context): Omit<Work, "isLost"> {
  const isStalled = problem.state === "stalled";
  const events: PlannedEvent[] = isStalled
    ? [{ type: "Warning", reason: problem.reason, message: problem.message }]
    : [];
  const verdict = isStalled || !current ? problem : { ...problem, ready: true };
  return { start: [], surplus: [], verdict, events: [...newsOf(dataset, current), ...events] };
}

function tooLarge({ dataset }: ObservedDataset, look: Look, settings: PodSettings): Verdict | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(taskOf(dataset, look, settings)));
  if (bytes <= taskBytes) return undefined;
  const message = `spec makes a task of ${bytes} bytes, and a pod takes ${taskBytes}: list fewer columns, or shorten the SQL`;
  return { state: "stalled", reason: "SpecTooLarge", message };
}

function lookWork(
  observed: ObservedDataset,
  { look, current, settings, isLost }: Context & { look: Look; isLost: boolean },
  now: Date,
): Work {
  const { dataset, jobs, pods } = observed;
  const job = jobs.find((candidate) => candidate.metadata.annotations?.[annotations.look] === look.id);
  const running = jobs.find((candidate) => candidate !== job && !isFinished(candidate));
  const stale = running && running.metadata.annotations?.[annotations.recipe] !== look.recipe;
  const isDone = !isLost && (dataset.status?.look === look.id || (job !== undefined && isComplete(job)));
  const podsOfJob = job ? (pods.get(job.metadata.name) ?? []) : [];
  const failure = job ? jobFailure(job, podsOfJob) : undefined;
  const retry = job && failure ? retryAt(job, podsOfJob) : undefined;

  const surplus = jobs.filter((candidate) => candidate !== job && (isFinished(candidate) || stale));
  if (job && isMadeAgain(observed, { job, retry, isLost }, now)) surplus.push(job);
  const start = !isDone && !job && (!running || stale) ? [buildLookJob(dataset, look, settings)] : [];
  const told = conclude(observed, { current, isDone, failure, retry, trouble: startTrouble(podsOfJob) });
  const done = isDone ? { done: { look: look.id, job } } : {};
  return { start, surplus, ...told, next: look.next, retry, failure: isDone ? undefined : failure, ...done, isLost };
}

/** A failed look whose time has come or whose Dataset was edited since, and one whose version the store has lost. */
function isMadeAgain(
  { dataset }: ObservedDataset,
  { job, retry, isLost }: { job: Job; retry: Date | undefined; isLost: boolean },
  now: Date,
): boolean {
  if (isComplete(job)) return isLost;
  if (!isFailed(job)) return false;
  const madeFor = Number(job.metadata.annotations?.[annotations.generation]);
  return (retry !== undefined && retry <= now) || madeFor < (dataset.metadata.generation ?? 0);
}

interface Situation {
  current: DatasetVersion | undefined;
  isDone: boolean;
  failure: Trouble | undefined;
  retry: Date | undefined;
  trouble: Trouble | undefined;
}

function conclude(
  { dataset }: ObservedDataset,
  { current, isDone, failure, retry, trouble }: Situation,
): Pick<Work, "verdict" | "events"> {
  const news = newsOf(dataset, current);
  if (isDone) {
    const message = current ? whatIsCurrent(current) : "the source was read";
    return { verdict: { state: "ready", reason: "VersionCurrent", message }, events: news };
  }
  if (failure) {
    const { reason } = failure;
    const message = `${failure.message}${current ? `; version ${current.version} stays current` : ""}`;
    const again = retry ? `; next try at ${retry.toISOString()}` : "";
    const verdict: Verdict = { state: retry ? "waiting" : "stalled", reason, message: `${message}${again}` };
    return { verdict, events: [{ type: "Warning", reason, message }] };
  }
  const { source, from } = dataset.spec;
  const reading = source
    ? `reading ${source.uri.split("?")[0]}`
    : `deriving from ${from?.map(({ datasetRef }) => datasetRef.name).join(", ")}`;
  const reason = trouble?.reason ?? (source ? "Snapshotting" : "Deriving");
  const message = trouble?.message ?? reading;
  const warning: PlannedEvent[] = trouble ? [{ type: "Warning", reason, message }] : [];
  const verdict: Verdict = { state: "progressing", reason, message, ready: current !== undefined && !trouble };
  return { verdict, events: [...news, ...warning] };
}

const whatIsCurrent = ({ version, rows }: DatasetVersion) => `version ${version} with ${rows} rows is current`;

/** The store may know the version before its Job is seen to have ended. */
function newsOf({ status }: ObservedDataset["dataset"], current: DatasetVersion | undefined): PlannedEvent[] {
  if (!current || current.version === status?.version) return [];
  const unmet = unmetExpectations(current);
  const warning = { type: "Warning" as const, reason: "ExpectationWarning", message: unmet.join("; ") };
  return [
    { type: "Normal", reason: "VersionCurrent", message: whatIsCurrent(current) },
    ...(unmet.length > 0 ? [warning] : []),
  ];
}
