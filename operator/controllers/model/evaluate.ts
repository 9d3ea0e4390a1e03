/** The next step in judging a Model's versions: which evaluation to make, or which decision to take. */
import { jsonDigest } from "../../api/digest.ts";
import type { Model } from "../../api/v1alpha1/model.ts";
import type { Decision, ModelRecord, ModelVersion } from "../../store/api.ts";
import { crashTrouble, jobFailure, type Trouble } from "../children/failure.ts";
import { isFailed, type Job, type Pod } from "../children/types.ts";
import { essence, isVerdict, resolveTemplate } from "../runtime-template.ts";
import type { Verdict } from "../verdict.ts";
import { type Champion, gatesDigest, judge } from "./gates.ts";
import { type EvaluationInput, evaluationsOf, subjectOf, type Target } from "./jobs.ts";
import type { ObservedModel } from "./observe.ts";

/** How often a runtime may die while it loads a model before the model is held to be at fault. */
export const crashesAllowed = 2;
/** Failures of an evaluation that speak of the model, not of the cluster. */
const modelFaults = new Set([
  "RuntimeUnavailable",
  "PredictionFailed",
  "ContainerFailed",
  "OutOfMemory",
  "DigestMismatch",
]);

interface Waiting {
  kind: "wait";
  verdict: Verdict;
  /** The evaluation has failed. */
  failed?: boolean;
}
export type Step =
  | { kind: "nothing" }
  | Waiting
  | { kind: "evaluate"; input: EvaluationInput }
  | { kind: "decide"; version: ModelVersion; decision: Decision };

/** The next step for the oldest version that is to be judged and can be: one whose evaluation has failed holds up no other. */
export function nextStep(observed: ObservedModel, record: ModelRecord, now: Date): Step {
  const failed: Step[] = [];
  for (const version of undecided(observed, record)) {
    const step = stepOf(observed, { record, version }, now);
    if (!hasFailed(observed, step)) return step;
    failed.push(step);
  }
  return failed.find(({ kind }) => kind === "evaluate") ?? failed[0] ?? { kind: "nothing" };
}

/** An evaluation has failed, or is to be made again after it has. */
function hasFailed({ jobs }: ObservedModel, step: Step): boolean {
  if (step.kind === "wait") return step.failed === true;
  return step.kind === "evaluate" && evaluationsOf(jobs, step.input.version.version).some(({ job }) => isFailed(job));
}

function stepOf(
  observed: ObservedModel,
  { record, version }: { record: ModelRecord; version: ModelVersion },
  now: Date,
): Step {
  const { model } = observed;
  if (!model.spec.evaluation) {
    const message = "passed without an evaluation: spec.evaluation is not set";
    return { kind: "decide", version, decision: decide(model, { gates: [], message }, now) };
  }
  const wanted = wantedEvaluation(observed, version);
  if (isVerdict(wanted)) return { kind: "wait", verdict: wanted, failed: wanted.reason === "RuntimeNotFound" };
  const own = evaluationOf(observed, wanted);
  if (own.kind === "wait") return own;
  if (own.kind === "missing") return { kind: "evaluate", input: own.input };
  if (own.kind === "fault") {
    const { reason, message } = own.trouble;
    const verdicts = { gates: [], message: `evaluation failed: ${message}`, failed: true, reason };
    return { kind: "decide", version, decision: decide(model, { ...verdicts, evaluation: wanted.digest }, now) };
  }
  const champion = championOf(observed, record, wanted);
  if ("kind" in champion) return champion;
  const gates = judge(model.spec.gates ?? [], own.metrics, champion.found);
  const failed = gates.some(({ passed }) => !passed);
  const told = gates.filter(({ passed }) => passed !== failed).map(({ message }) => message);
  const message = gates.length === 0 ? "evaluated; spec.gates is empty" : told.join("; ");
  const decision = decide(model, { gates, message, failed, evaluation: wanted.digest }, now);
  return { kind: "decide", version, decision };
}

/** Versions without a decision, the oldest first; without such the newest, when it failed by what is not so any more. */
export function undecided(observed: ObservedModel, { versions }: ModelRecord): ModelVersion[] {
  const open = versions.filter(({ decision }) => !decision).reverse();
  if (open.length > 0) return open;
  const [newest] = versions;
  return newest?.decision?.verdict === "Failed" && isOutdated(observed, newest, newest.decision) ? [newest] : [];
}

/** The gates have changed, or an evaluation that could not be made is to be made otherwise: in a runtime that was mended, on other data. */
function isOutdated(observed: ObservedModel, version: ModelVersion, decision: Decision): boolean {
  const { gates, evaluation } = observed.model.spec;
  if (decision.gatesDigest !== gatesDigest(gates ?? [])) return true;
  if (!decision.reason || !evaluation) return false;
  const wanted = wantedEvaluation(observed, version);
  return !isVerdict(wanted) && wanted.digest !== decision.evaluation;
}

interface Verdicts {
  gates: Decision["gates"];
  message: string;
  failed?: boolean;
  evaluation?: string;
  reason?: string;
}

function decide(model: Model, { gates, message, failed = false, evaluation, reason }: Verdicts, now: Date): Decision {
  return {
    verdict: failed ? "Failed" : "Passed",
    gates,
    gatesDigest: gatesDigest(model.spec.gates ?? []),
    message: message.slice(0, 1024),
    decidedAt: now.toISOString(),
    ...(evaluation ? { evaluation } : {}),
    ...(reason ? { reason } : {}),
  };
}

/** The data to judge on: what an evaluation of this version began with, unless it is to be made again; else the Dataset's current version. */
function targetOf({ model, dataset, jobs, pods }: ObservedModel, version: ModelVersion): Target | Verdict {
  const { name, split } = model.spec.evaluation?.datasetRef ?? { name: "", split: "" };
  const begun = evaluationsOf(jobs, version.version).find(({ job, subject }) => {
    if (subject.dataset !== name) return false;
    const failure = jobFailure(job, pods.get(job.metadata.name) ?? []);
    return !failure || (!version.decision && modelFaults.has(failure.reason));
  });
  if (begun) {
    const { datasetVersion, datasetDigest, datasetRevision } = begun.subject;
    return { dataset: name, datasetVersion, datasetDigest, datasetRevision };
  }
  const waiting = (reason: string, message: string): Verdict => ({ state: "waiting", reason, message });
  if (!dataset) return waiting("DatasetNotFound", `Dataset ${name} does not exist in this namespace`);
  const { version: datasetVersion, digest, revision, splits = {}, label } = dataset.status ?? {};
  if (!datasetVersion || !digest) return waiting("DatasetNotReady", `Dataset ${name} has no version yet`);
  if (!splits[split]) {
    const known = Object.keys(splits).join(", ");
    return waiting(
      "SplitNotFound",
      `Dataset ${name} has no rows in a split ${split}; it has ${known}: set its spec.splits`,
    );
  }
  if (!label) {
    const message = `Dataset ${name} has no label: set role: Label on a column in its spec.schema.columns`;
    return waiting("LabelMissing", message);
  }
  return { dataset: name, datasetVersion, datasetDigest: digest, datasetRevision: revision };
}

/** The evaluation by which the version is to be judged, or what it waits for. */
function wantedEvaluation(observed: ObservedModel, version: ModelVersion): EvaluationInput | Verdict {
  const { model, runtimes } = observed;
  const wish = { runtimeRef: model.spec.evaluation?.runtimeRef, format: version.format };
  const template = resolveTemplate(wish, runtimes, "ServingRuntime");
  if (isVerdict(template)) return template;
  const target = targetOf(observed, version);
  return isVerdict(target) ? target : evaluationFor(observed, version, { target, template });
}

function evaluationFor(
  { model, dataset }: ObservedModel,
  version: ModelVersion,
  { target, template }: Pick<EvaluationInput, "target" | "template">,
): EvaluationInput {
  const { evaluation: { datasetRef, resources } = {}, task } = model.spec;
  const { container, port } = template;
  const digest = jsonDigest({
    ...{ model: version.digest, task },
    ...{ dataset: target.dataset, data: target.datasetDigest, revision: target.datasetRevision },
    split: datasetRef?.split,
    container: essence(container),
    port,
    resources,
  });
  return { version, target, template, dataset, digest };
}

type Found =
  | { kind: "metrics"; metrics: Record<string, number> }
  | { kind: "missing"; input: EvaluationInput }
  | { kind: "fault"; trouble: Trouble; wait: Waiting }
  | Waiting;

/** The evaluation of one version on the target: known, to be made, under way, or failed. */
function evaluationOf({ jobs, pods }: ObservedModel, input: EvaluationInput): Found {
  const { version, digest } = input;
  const known = version.evaluations.find((evaluation) => evaluation.digest === digest);
  if (known) return { kind: "metrics", metrics: known.metrics };
  const job = jobs.find((candidate) => subjectOf(candidate)?.digest === digest);
  if (!job) return { kind: "missing", input };
  return underWay(job, { version, pods: pods.get(job.metadata.name) ?? [] });
}

function underWay(job: Job, { version, pods }: { version: ModelVersion; pods: readonly Pod[] }): Found {
  const trouble = jobFailure(job, pods) ?? crashTrouble(pods, crashesAllowed);
  if (trouble) {
    const { reason, retryable } = trouble;
    const message = `version ${version.version} could not be evaluated: ${trouble.message}. Delete Job ${job.metadata.name} to try again`;
    const verdict: Verdict = { state: retryable ? "waiting" : "stalled", reason, message };
    const wait = { kind: "wait", verdict, failed: true } as const;
    return modelFaults.has(reason) ? { kind: "fault", trouble, wait } : wait;
  }
  const message = `version ${version.version} is being evaluated by Job ${job.metadata.name}`;
  return { kind: "wait", verdict: { state: "progressing", reason: "Evaluating", message } };
}

/** The champion on the candidate's data, where a gate asks for it. What keeps it from being measured must be the data, and nothing else. */
function championOf(
  observed: ObservedModel,
  record: ModelRecord,
  { version, ...same }: EvaluationInput,
): { found: Champion | undefined } | Step {
  const asked = observed.model.spec.gates?.some(({ against }) => against === "champion");
  const champion = record.versions.find((candidate) => candidate.version === record.aliases.champion);
  if (!asked || !champion || champion.version === version.version) return { found: undefined };
  const found = evaluationOf(observed, evaluationFor(observed, champion, same));
  if (found.kind === "wait") return found;
  if (found.kind === "missing") return { kind: "evaluate", input: found.input };
  if (found.kind === "metrics") return { found: { version: champion.version, metrics: found.metrics } };
  const { reason, retryable } = found.trouble;
  const isUnable = reason === "PredictionFailed" && !retryable;
  if (isUnable) return { found: { version: champion.version, metrics: undefined } };
  const { verdict } = found.wait;
  const message = `${verdict.message}; it is the champion: without the gates against it, version ${version.version} can be judged`;
  return { ...found.wait, verdict: { ...verdict, message } };
}
