import type { TrainingJobStatus } from "../../api/v1alpha1/training-job.ts";
import type { Plan, PlannedEvent, StoreRecord } from "../../runtime/plan.ts";
import type { Run } from "../../store/api.ts";
import { jobFailure, retryAt } from "../children/failure.ts";
import { jobChild } from "../children/job.ts";
import type { PodSettings } from "../children/pod.ts";
import { finishedAt, isComplete, isFailed, isFinished, type Job } from "../children/types.ts";
import { annotations } from "../labels.ts";
import { delayedPlan, deletion, outcomeOf } from "../outcome.ts";
import { isVerdict } from "../runtime-template.ts";
import type { Verdict } from "../verdict.ts";
import { buildTrainingJob } from "./job.ts";
import type { ObservedTrainingJob } from "./observe.ts";
import { awaitedInputs, isMisplaced, queueObstacle } from "./queue.ts";
import { resolveRun, runOf, type WantedRun } from "./run.ts";
import { concludeRun, projectStatus } from "./status.ts";

/** What to do about a TrainingJob: one Job for the run that is wanted, unless the store knows that it succeeded. */
export function planTrainingJob(
  observed: ObservedTrainingJob,
  settings: PodSettings,
  now: Date,
): Plan<TrainingJobStatus> {
  const { trainingJob, record } = observed;
  if ("unavailable" in record) return delayedPlan(trainingJob, record.unavailable, now);
  const resolved = resolveRun(observed);
  const runs = record.found.runs;
  const failures = recordFailures(observed, runs);
  if (isVerdict(resolved)) return problemPlan(observed, { problem: resolved, failures }, now);

  const { spec } = trainingJob;
  const job = observed.jobs.find((candidate) => runOf(candidate)?.digest === resolved.digest);
  const succeeded = runs.find(({ digest, phase }) => digest === resolved.digest && phase === "Succeeded");
  const retry = job && retryOf(observed, job);
  const surplus = surplusJobs(observed, {
    wanted: resolved,
    job,
    succeeded,
    isDue: retry !== undefined && retry <= now,
  });
  const before = observed.jobs.find(
    (candidate) => candidate !== job && !isFinished(candidate) && !surplus.includes(candidate),
  );
  const current = job ?? before;
  const start = !succeeded && !current && !spec.suspend;
  const obstacle = start ? queueObstacle(observed) : undefined;
  const { verdict, events } = obstacle
    ? { verdict: obstacle, events: [eventOf(obstacle)] }
    : concludeRun(observed, { wanted: resolved, job, current, succeeded, retry });
  const object = start && !obstacle ? buildTrainingJob(trainingJob, resolved, settings) : undefined;
  return {
    records: [...failures, ...(object ? awaitedInputs(observed, resolved.spec.inputs) : [])],
    apply: object ? [jobChild(object)] : [],
    delete: surplus.map(deletion),
    status: projectStatus(observed, { verdict, job: succeeded ? job : current, succeeded, runs }, now),
    events,
    outcome: outcomeOf(verdict, [retry], now),
  };
}

interface RunState {
  wanted: WantedRun;
  job: Job | undefined;
  succeeded: Run | undefined;
  /** A failed Job is to be made again. */
  isDue: boolean;
}

/** When a failed Job is made again by itself: only where training had not begun, which may have taken long. */
function retryOf({ pods }: ObservedTrainingJob, job: Job): Date | undefined {
  const ofJob = pods.get(job.metadata.name) ?? [];
  return jobFailure(job, ofJob)?.container === "stage" ? retryAt(job, ofJob) : undefined;
}

/** Jobs to delete: of a run that nobody wants any more, of a failure to try again, past the history limit. */
function surplusJobs(observed: ObservedTrainingJob, { wanted, job, succeeded, isDue }: RunState): Job[] {
  const { trainingJob, jobs } = observed;
  const { spec, metadata } = trainingJob;
  const superseded = jobs.filter(
    (candidate) =>
      !isFinished(candidate) &&
      candidate !== job &&
      // Newer data waits for a run that is under way; newer code does not.
      (spec.suspend || runOf(candidate)?.recipe !== wanted.spec.recipe),
  );
  const again =
    job &&
    !succeeded &&
    ((spec.suspend && !isFinished(job)) ||
      isMisplaced(observed, job) ||
      isDue ||
      // The store knows nothing of a run that ended well: it lost its record, so the run is made again.
      isComplete(job) ||
      (isFailed(job) && Number(job.metadata.annotations?.[annotations.generation]) < (metadata.generation ?? 0)));
  const history = jobs
    .filter((candidate) => candidate !== job && isFinished(candidate))
    .sort((a, b) => (finishedAt(b) ?? "").localeCompare(finishedAt(a) ?? ""))
    .slice(Math.max(0, spec.historyLimit - (job ? 1 : 0)));
  return [...superseded, ...(again ? [job] : []), ...history];
}

/** Failed runs that the store has not heard of: their pods could not tell it. */
function recordFailures({ trainingJob, jobs, pods }: ObservedTrainingJob, runs: readonly Run[]): StoreRecord[] {
  const { name, namespace } = trainingJob.metadata;
  return jobs.flatMap((job) => {
    const failure = jobFailure(job, pods.get(job.metadata.name) ?? []);
    const run = runOf(job);
    if (!failure || !run) return [];
    const { digest, ...spec } = run;
    const ended = new Date(finishedAt(job) ?? 0).toISOString();
    const known = runs.find((candidate) => candidate.digest === digest);
    if (known && (known.phase === "Succeeded" || known.finishedAt === ended)) return [];
    const started = job.status?.startTime ?? job.metadata.creationTimestamp ?? ended;
    return [
      {
        method: "PUT" as const,
        path: `namespaces/${namespace}/trainingjobs/${name}/runs/${digest}`,
        body: {
          ...spec,
          phase: "Failed",
          startedAt: new Date(started).toISOString(),
          finishedAt: ended,
          reason: failure.reason,
          message: failure.message,
        },
      },
    ];
  });
}

/** No run can be named: the one that is under way goes on, unless none should. */
function problemPlan(
  observed: ObservedTrainingJob,
  { problem, failures }: { problem: Verdict; failures: StoreRecord[] },
  now: Date,
): Plan<TrainingJobStatus> {
  const runs = "found" in observed.record ? observed.record.found.runs : [];
  const open = observed.jobs.filter((job) => !isFinished(job));
  return {
    records: failures,
    apply: [],
    delete: observed.trainingJob.spec.suspend ? open.map(deletion) : [],
    status: projectStatus(observed, { verdict: problem, job: open[0], runs }, now),
    events: [eventOf(problem)],
    outcome: outcomeOf(problem, [], now),
  };
}

function eventOf({ state, reason, message }: Verdict): PlannedEvent {
  return { type: state === "stalled" ? "Warning" : "Normal", reason, message };
}
