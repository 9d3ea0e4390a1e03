import { shortDigest } from "../../api/digest.ts";
import type { RunStatus, TrainingJobStatus } from "../../api/v1alpha1/training-job.ts";
import type { PlannedEvent } from "../../runtime/plan.ts";
import type { Run } from "../../store/api.ts";
import { jobFailure, startTrouble } from "../children/failure.ts";
import { finishedAt, type Job } from "../children/types.ts";
import { conditionsOf, type Verdict } from "../verdict.ts";
import type { ObservedTrainingJob } from "./observe.ts";
import { isQueued, queuedVerdict } from "./queue.ts";
import { type JobRun, runOf, type WantedRun } from "./run.ts";

interface RunState {
  wanted: WantedRun;
  /** The wanted run's. */
  job: Job | undefined;
  /** The same, or that of the run which is under way before it. */
  current: Job | undefined;
  succeeded: Run | undefined;
  /** When a failed Job is made again by itself. */
  retry: Date | undefined;
}

/** How the wanted run stands. */
export function concludeRun(
  observed: ObservedTrainingJob,
  { wanted, job, current, succeeded, retry }: RunState,
): { verdict: Verdict; events: PlannedEvent[] } {
  const { trainingJob, pods } = observed;
  if (succeeded) {
    const made = succeeded.model ? `version ${succeeded.model.version} of Model ${succeeded.model.name}` : "no model";
    const message = `run ${shortDigest(wanted.digest)} succeeded and made ${made}`;
    const news = trainingJob.status?.run?.phase !== "Succeeded" || trainingJob.status.run.digest !== wanted.digest;
    const events: PlannedEvent[] = news ? [{ type: "Normal", reason: "RunSucceeded", message }] : [];
    return { verdict: { state: "ready", reason: "RunSucceeded", message }, events };
  }
  if (trainingJob.spec.suspend) {
    const verdict: Verdict = {
      state: "suspended",
      reason: "Suspended",
      message: "spec.suspend is true: no run starts",
    };
    return { verdict, events: [] };
  }
  const podsOfRun = current ? (pods.get(current.metadata.name) ?? []) : [];
  const failure = job ? jobFailure(job, podsOfRun) : undefined;
  if (failure) {
    const { reason } = failure;
    const next = retry
      ? `Next try at ${retry.toISOString()}`
      : `Mend it and edit this TrainingJob, or delete Job ${job?.metadata.name} to try the same again`;
    const message = `run ${shortDigest(wanted.digest)} failed: ${failure.message}. ${next}`;
    const verdict: Verdict = { state: retry ? "waiting" : "stalled", reason, message };
    return { verdict, events: [{ type: "Warning", reason, message }] };
  }
  const { digest, inputs } = (current && runOf(current)) ?? { digest: wanted.digest, ...wanted.spec };
  if (current && isQueued(current)) {
    return { verdict: queuedVerdict(observed, shortDigest(digest)), events: [] };
  }
  const trouble = startTrouble(podsOfRun);
  if (trouble) {
    const { reason, message } = trouble;
    return { verdict: { state: "progressing", reason, message }, events: [{ type: "Warning", reason, message }] };
  }
  const next = digest === wanted.digest ? "" : `, the next${dataOf(wanted.spec.inputs)}`;
  const message = `run ${shortDigest(digest)} trains${dataOf(inputs)}${next}`;
  const told = trainingJob.status?.run;
  const isTold = told?.digest === digest && (told.phase === "Pending" || told.phase === "Running");
  const events: PlannedEvent[] = current && !isTold ? [{ type: "Normal", reason: "RunStarted", message }] : [];
  return { verdict: { state: "progressing", reason: "Training", message }, events };
}

function dataOf(inputs: JobRun["inputs"]): string {
  const data = inputs.map(({ dataset, version, revision }) => {
    return `${dataset} version ${version}${revision ? ` (revision ${revision})` : ""}`;
  });
  return data.length > 0 ? ` on ${data.join(", ")}` : "";
}

interface Projection {
  verdict: Verdict;
  runs: readonly Run[];
  job?: Job | undefined;
  succeeded?: Run | undefined;
}

/** The status: a bounded summary of the store's record and of the Job that runs. */
export function projectStatus(observed: ObservedTrainingJob, projection: Projection, now: Date): TrainingJobStatus {
  const { trainingJob } = observed;
  const { verdict, runs, succeeded, job } = projection;
  const current = succeeded ? endedRun(succeeded, job) : job ? jobRunStatus(observed, job) : undefined;
  const status: TrainingJobStatus = {
    observedGeneration: trainingJob.metadata.generation ?? 0,
    conditions: conditionsOf(trainingJob, { verdict }, now),
    runs: runs.slice(0, 10).map((run) => endedRun(run, undefined)),
  };
  if (current) status.run = current;
  return status;
}

function endedRun(run: Run, job: Job | undefined): RunStatus {
  const { digest, phase, trigger, commit, startedAt, finishedAt, metrics, reason, message, model } = run;
  return {
    digest,
    phase,
    trigger,
    startedAt,
    finishedAt,
    inputs: inputsOf(run),
    ...(commit ? { commit } : {}),
    ...(job ? { job: job.metadata.name } : {}),
    ...(metrics ? { metrics } : {}),
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
    ...(model ? { modelVersion: model.version } : {}),
  };
}

function jobRunStatus({ pods }: ObservedTrainingJob, job: Job): RunStatus | undefined {
  const run = runOf(job);
  if (!run) return undefined;
  const ofJob = pods.get(job.metadata.name) ?? [];
  const failure = jobFailure(job, ofJob);
  const running = ofJob.some(({ status }) =>
    status?.initContainerStatuses?.some(({ state }) => state?.running || state?.terminated),
  );
  return {
    job: job.metadata.name,
    digest: run.digest,
    phase: failure ? "Failed" : isQueued(job) ? "Queued" : running ? "Running" : "Pending",
    trigger: run.trigger,
    inputs: inputsOf(run),
    ...(run.commit ? { commit: run.commit } : {}),
    ...(job.status?.startTime ? { startedAt: job.status.startTime } : {}),
    ...(failure ? { reason: failure.reason, message: failure.message, finishedAt: finishedAt(job) } : {}),
  };
}

function inputsOf({ inputs }: Run | JobRun) {
  return inputs.map(({ name, dataset, version }) => ({ name, dataset, version }));
}
