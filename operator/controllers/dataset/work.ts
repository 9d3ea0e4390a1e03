/** The look that is wanted: whether it has been made, is being made, has failed, or must wait. */
import { shortDigest } from "../../api/digest.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { PlannedEvent } from "../../runtime/plan.ts";
import type { DatasetVersion } from "../../store/api.ts";
import { jobFailure, retryAt, startTrouble, type Trouble } from "../children/failure.ts";
import type { PodSettings } from "../children/pod.ts";
import { finishedAt, isComplete, isFailed, isFinished, type Job } from "../children/types.ts";
import { annotations } from "../labels.ts";
import { isVerdict } from "../runtime-template.ts";
import type { Verdict } from "../verdict.ts";
import { buildLookJob } from "./job.ts";
import { isMadeBy, type Look, recipeDigestOf, wantedLook } from "./look.ts";
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
  /** The look that ended well last, and when it ended; undefined where the status knows it already. */
  look?: string | undefined;
  checked?: string | undefined;
  /** Why the look that ended last has failed. */
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
function hindered(observed: ObservedDataset, problem: Verdict, { current }: Context): Omit<Work, "isLost"> {
  const { dataset } = observed;
  const { last } = endedLooks(observed, shortDigest(recipeDigestOf(dataset)));
  const { failure, endedWell } = endingOf(observed, last);
  const isStalled = problem.state === "stalled";
  const events: PlannedEvent[] = isStalled
    ? [{ type: "Warning", reason: problem.reason, message: problem.message }]
    : [];
  const ready = !isStalled && !failure && staysReady(dataset, { current, endedWell });
  const verdict = { ...problem, ready };
  return { start: [], surplus: [], verdict, failure, events: [...newsOf(dataset, current), ...events] };
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
  const { dataset, jobs } = observed;
  const podsOf = (job: Job | undefined) => (job && observed.pods.get(job.metadata.name)) ?? [];
  const job = jobs.find((candidate) => lookOf(candidate) === look.id);
  const other = jobs.find((candidate) => candidate !== job && !isFinished(candidate));
  const isHeld = !isLost && (!current || isMadeBy(look, current));
  const isDone = isHeld && (dataset.status?.look === look.id || (job !== undefined && isComplete(job)));
  // Inputs may go back to those that the current version is made of; a source is worth another look.
  const stale = other && (recipeOf(other) !== look.recipe || (isDone && look.derivation !== undefined));
  const hasEnded = isDone || (job !== undefined && isFinished(job));
  const { last, untold } = endedLooks(observed, look.recipe);
  // Looks may be asked for faster than they end: what the last one found holds until the wanted one has ended.
  const teller = hasEnded ? job : last;
  const { failure, endedWell } = endingOf(observed, teller);
  const retry = job && failure && teller === job ? retryAt(job, podsOf(job)) : undefined;

  const kept = [job, teller, untold];
  const surplus = jobs.filter((candidate) => !kept.includes(candidate) && (isFinished(candidate) || stale));
  if (job && isMadeAgain(observed, { job, retry, isHeld }, now)) surplus.push(job);
  const start = !isDone && !job && (!other || stale) ? [buildLookJob(dataset, look, settings)] : [];
  const trouble = hasEnded ? undefined : startTrouble(podsOf(job ?? (stale ? undefined : other)));
  return {
    ...{ start, surplus, ...conclude(observed, { current, isDone, hasEnded, endedWell, failure, retry, trouble }) },
    ...{ next: look.next, retry, failure: isDone ? undefined : failure, isLost },
    look: isDone ? look.id : untold && lookOf(untold),
    checked: untold && finishedAt(untold),
  };
}

const lookOf = ({ metadata }: Job) => metadata.annotations?.[annotations.look];
const recipeOf = ({ metadata }: Job) => metadata.annotations?.[annotations.recipe];

/** Of the looks of this recipe that have ended the last one, and the last that ended well, while the status lacks it. */
function endedLooks({ dataset, jobs }: ObservedDataset, recipe: string): { last?: Job; untold?: Job } {
  const endOf = (job: Job) => finishedAt(job) ?? "";
  const ended = jobs
    .filter((job) => isFinished(job) && recipeOf(job) === recipe)
    .sort((a, b) => endOf(b).localeCompare(endOf(a)));
  const { lastChecked = "" } = dataset.status ?? {};
  const [last] = ended;
  const untold = ended.find((job) => isComplete(job) && endOf(job) > lastChecked);
  return { ...(last ? { last } : {}), ...(untold ? { untold } : {}) };
}

/** How a look has ended, as far as its Job is still there. */
function endingOf(
  { pods }: ObservedDataset,
  job: Job | undefined,
): { failure: Trouble | undefined; endedWell: boolean } {
  const failure = job && jobFailure(job, pods.get(job.metadata.name) ?? []);
  return { failure, endedWell: job !== undefined && !failure };
}

/** A failed look may leave no Job that tells of it: the status remembers it, until one has ended well. */
function staysReady({ status }: Dataset, { current, endedWell }: Pick<Situation, "current" | "endedWell">): boolean {
  const wasUnready = status?.conditions?.some(
    (condition) => condition.type === "Ready" && condition.status === "False",
  );
  return current !== undefined && (endedWell || !wasUnready);
}

/** A failed look whose time has come or whose Dataset was edited since, and one whose version is not current any more. */
function isMadeAgain(
  { dataset }: ObservedDataset,
  { job, retry, isHeld }: { job: Job; retry: Date | undefined; isHeld: boolean },
  now: Date,
): boolean {
  if (isComplete(job)) return !isHeld;
  if (!isFailed(job)) return false;
  const madeFor = Number(job.metadata.annotations?.[annotations.generation]);
  return (retry !== undefined && retry <= now) || madeFor < (dataset.metadata.generation ?? 0);
}

interface Situation {
  current: DatasetVersion | undefined;
  isDone: boolean;
  /** False while the wanted look is still to be made. */
  hasEnded: boolean;
  /** The look that ended last, as far as its Job is still there. */
  endedWell: boolean;
  failure: Trouble | undefined;
  retry: Date | undefined;
  trouble: Trouble | undefined;
}

function conclude(
  { dataset }: ObservedDataset,
  { current, isDone, hasEnded, endedWell, failure, retry, trouble }: Situation,
): Pick<Work, "verdict" | "events"> {
  const news = newsOf(dataset, current);
  if (isDone) {
    const message = current ? whatIsCurrent(current) : "the source was read";
    return { verdict: { state: "ready", reason: "VersionCurrent", message }, events: news };
  }
  const { source, from } = dataset.spec;
  const reading = source
    ? `reading ${source.uri.split("?")[0]}`
    : `deriving from ${from?.map(({ datasetRef }) => datasetRef.name).join(", ")}`;
  if (failure && !trouble) {
    const { reason } = failure;
    const message = `${failure.message}${current ? `; version ${current.version} stays current` : ""}`;
    const then = hasEnded ? (retry ? `; next try at ${retry.toISOString()}` : "") : `; ${reading} again`;
    const state = hasEnded ? (retry ? "waiting" : "stalled") : "progressing";
    const verdict: Verdict = { state, reason, message: `${message}${then}` };
    return { verdict, events: [...news, { type: "Warning", reason, message }] };
  }
  const reason = trouble?.reason ?? (source ? "Snapshotting" : "Deriving");
  const message = trouble?.message ?? reading;
  const warning: PlannedEvent[] = trouble ? [{ type: "Warning", reason, message }] : [];
  const ready = !trouble && staysReady(dataset, { current, endedWell });
  const verdict: Verdict = { state: "progressing", reason, message, ready };
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
