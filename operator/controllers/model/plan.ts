import type { Model, ModelStatus } from "../../api/v1alpha1/model.ts";
import type { Plan, PlannedEvent, StoreRecord } from "../../runtime/plan.ts";
import type { ModelRecord } from "../../store/api.ts";
import { crashTrouble, jobFailure, retryAt } from "../children/failure.ts";
import { jobChild } from "../children/job.ts";
import type { PodSettings } from "../children/pod.ts";
import { isComplete, isFailed, isFinished, type Job } from "../children/types.ts";
import { annotations } from "../labels.ts";
import { delayedPlan, deletion, outcomeOf } from "../outcome.ts";
import type { Verdict } from "../verdict.ts";
import { type Aliases, resolveAliases } from "./aliases.ts";
import { crashesAllowed, nextStep, type Step, undecided } from "./evaluate.ts";
import { buildEvaluationJob, buildImportJob, evaluationsIn, subjectOf } from "./jobs.ts";
import type { ObservedModel } from "./observe.ts";
import { conclude, projectStatus } from "./status.ts";

/** Evaluation Jobs of this many newest versions are kept, for their logs, and as many of one version that failed. */
const jobsKept = 3;

/** What to do about a Model: import, evaluate and judge one version at a time, and move its aliases. */
export function planModel(observed: ObservedModel, settings: PodSettings, now: Date): Plan<ModelStatus> {
  const { model } = observed;
  if ("unavailable" in observed.record) return delayedPlan(model, observed.record.unavailable, now);
  const before = observed.record.found;
  const step = nextStep(observed, before, now);
  const record = step.kind === "decide" ? withDecision(before, step) : before;
  const aliases = resolveAliases(model, record);
  const imports = planImports(observed, record);
  const deciding = undecided(observed, record).length > 0;
  const surplus = surplusJobs(observed, record, deciding);
  const verdict = conclude({ model, record, step, aliases, importProblem: imports.problem });
  const status = projectStatus({ model, record, verdict, aliases, jobs: observed.jobs }, now);
  const retries = observed.jobs
    .filter((job) => !surplus.includes(job) && (deciding || subjectOf(job)?.kind === "import"))
    .map((job) => ({ job, at: retryAt(job, observed.pods.get(job.metadata.name) ?? []) }));
  const due = retries.filter(({ at }) => at && at <= now).map(({ job }) => job);
  return {
    records: planRecords(observed, { before, step, aliases }),
    apply: [
      ...imports.missing.map((source) => jobChild(buildImportJob(model, source, settings))),
      ...(step.kind === "evaluate" ? [jobChild(buildEvaluationJob(model, step.input, settings))] : []),
    ],
    delete: [...surplus, ...due].map(deletion),
    status,
    events: planEvents(model, status, verdict),
    // A decision changes what comes next, and no watch tells of the store.
    outcome:
      step.kind === "decide"
        ? { kind: "waiting", requeueAfterMs: 0 }
        : outcomeOf(
            verdict,
            retries.map(({ at }) => at),
            now,
          ),
  };
}

function withDecision(record: ModelRecord, { version, decision }: Extract<Step, { kind: "decide" }>): ModelRecord {
  return {
    ...record,
    versions: record.versions.map((candidate) =>
      candidate.version === version.version ? { ...candidate, decision } : candidate,
    ),
  };
}

interface Change {
  before: ModelRecord;
  step: Step;
  aliases: Aliases;
}

/** The decision is written before the alias that follows from it. */
function planRecords({ model }: ObservedModel, { before, step, aliases }: Change): StoreRecord[] {
  const base = `namespaces/${model.metadata.namespace}/models/${model.metadata.name}`;
  const records: StoreRecord[] = [];
  if (step.kind === "decide") {
    const path = `${base}/versions/${step.version.version}/decision`;
    records.push({ method: "PUT", path, body: step.decision });
  }
  for (const [alias, version] of Object.entries(aliases.wanted)) {
    if (before.aliases[alias] === version) continue;
    records.push({ method: "PUT", path: `${base}/aliases/${alias}`, body: { version } });
  }
  return records;
}

/** What the status tells that it did not tell before. */
function planEvents({ status: before }: Model, status: ModelStatus, verdict: Verdict): PlannedEvent[] {
  const events: PlannedEvent[] = [];
  const known = (version: number) => before?.versions?.find((candidate) => candidate.version === version);
  for (const { version, stage, evaluatedOn } of status.versions ?? []) {
    if (stage !== "Candidate" || !evaluatedOn || known(version)?.evaluatedOn?.digest === evaluatedOn.digest) continue;
    const message = `version ${version} is evaluated on dataset version ${evaluatedOn.version}`;
    events.push({ type: "Normal", reason: "EvaluationStarted", message });
  }
  const decided = status.versions?.find(({ message }) => message !== undefined);
  const candidate = status.conditions?.find(({ type }) => type === "CandidatePassed");
  if (decided && candidate && known(decided.version)?.message !== decided.message) {
    const { reason, message } = candidate;
    events.push({ type: candidate.status === "True" ? "Normal" : "Warning", reason, message });
  }
  const { champion } = status;
  if (champion !== undefined && champion !== before?.champion) {
    const from = before?.champion === undefined ? "" : ` after version ${before.champion}`;
    events.push({ type: "Normal", reason: "ChampionMoved", message: `version ${champion} is champion${from}` });
  }
  if (verdict.state === "stalled") events.push({ type: "Warning", reason: verdict.reason, message: verdict.message });
  return events;
}

/** Imports that have neither a version nor a Job, and why others have failed. */
function planImports({ model, jobs, pods }: ObservedModel, { versions }: ModelRecord) {
  const open = (model.spec.imports ?? []).filter(
    ({ digest }) => !versions.some(({ source }) => "uri" in source && source.digest === digest),
  );
  const jobOf = (digest: string): Job | undefined => jobs.find((job) => subjectOf(job)?.digest === digest);
  const problems = open.flatMap(({ uri, digest }) => {
    const job = jobOf(digest);
    const failure = job ? jobFailure(job, pods.get(job.metadata.name) ?? []) : undefined;
    if (!job || !failure) return [];
    const next = failure.retryable ? "" : `. Correct it, or delete Job ${job.metadata.name} to try the same again`;
    return [{ ...failure, message: `spec.imports ${uri.split("?")[0]}: ${failure.message}${next}` }];
  });
  const problem: Verdict | undefined =
    problems.length > 0
      ? {
          state: problems.every(({ retryable }) => retryable) ? "waiting" : "stalled",
          reason: "ImportFailed",
          message: problems.map(({ message }) => message).join("; "),
        }
      : undefined;
  return { missing: open.filter(({ digest }) => !jobOf(digest)), problem };
}

/** Jobs that nobody needs: evaluations of versions that are decided, but for the newest ones' logs. */
function surplusJobs({ model, jobs, pods }: ObservedModel, record: ModelRecord, deciding: boolean): Job[] {
  const kept = new Set(record.versions.slice(0, jobsKept).map(({ version }) => version));
  const wantedImports = new Set((model.spec.imports ?? []).map(({ digest }) => digest));
  const generation = model.metadata.generation ?? 0;
  const failures = evaluationsIn(jobs).filter(({ job }) => isFailed(job));
  const byVersion = Map.groupBy(failures, ({ subject }) => subject.version).values();
  const old = new Set([...byVersion].flatMap((ofOne) => ofOne.slice(jobsKept).map(({ job }) => job)));
  return jobs.filter((job) => {
    const subject = subjectOf(job);
    if (!subject) return false;
    if (subject.kind === "import") {
      // What failed is tried again with what the manifest says now.
      const isOutdated = isFailed(job) && Number(job.metadata.annotations?.[annotations.generation] ?? 0) < generation;
      return isOutdated || !wantedImports.has(subject.digest);
    }
    const version = record.versions.find((candidate) => candidate.version === subject.version);
    if (!version) return true;
    // The manifest names another Dataset now.
    if (!isFinished(job) && subject.dataset !== model.spec.evaluation?.datasetRef.name) return true;
    const known = version.evaluations.some(({ digest }) => digest === subject.digest);
    // Ended well, and the store has no trace of it: it lost its record, so the evaluation is made again.
    if (isComplete(job) && !known) return true;
    if (old.has(job)) return true;
    // While a version is judged, its champion's evaluation may run too, or have failed.
    if (!version.decision || (deciding && !isComplete(job))) return false;
    if (isFinished(job)) return !kept.has(version.version);
    // One whose result is known is about to end; the runtime of a version that it can't load keeps its log for people.
    const crashed = crashTrouble(pods.get(job.metadata.name) ?? [], crashesAllowed) !== undefined;
    return !known && !(crashed && kept.has(version.version));
  });
}
