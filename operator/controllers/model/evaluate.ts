/** The next step in judging a Model's versions: which evaluation to make, or which decision to take. */
import { jsonDigest } from "../../api/digest.ts";
import type { Model } from "../../api/v1alpha1/model.ts";
import type { Decision, ModelRecord, ModelVersion } from "../../store/api.ts";
import { crashTrouble, jobFailure, type Trouble } from "../children/failure.ts";
import { isFailed, type Job, type Pod } from "../children/types.ts";
import { essence, isVerdict, resolveTemplate } from "../runtime-template.ts";
import type { Verdict } from "../verdict.ts";
import { type Champion, gatesDigest, judge } from "./gates.ts";
import { type EvaluationInput, subjectOf, type Target } from "./jobs.ts";
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

export type Step =
  | { kind: "nothing" }
  | { kind: "wait"; verdict: Verdict }
  | { kind: "evaluate"; input: EvaluationInput }
  | { kind: "decide"; version: ModelVersion; decision: Decision };

/** The next step for the version that is to be judged. */
export function nextStep(observed: ObservedModel, record: ModelRecord, now: Date): Step {
  const { model } = observed;
  const version = undecided(observed, record);
  if (!version) return { kind: "nothing" };
  if (!model.spec.evaluation) {
    const message = "passed without an evaluation: spec.evaluation is not set";
    return { kind: "decide", version, decision: decide(model, { gates: [], message }, now) };
  }
  const wanted = wantedEvaluation(observed, version);
  if (isVerdict(wanted)) return { kind: "wait", verdict: wanted };
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

/** The oldest version without a decision, or the newest, when it failed by what is not so any more. */
export function undecided(observed: ObservedModel, { versions }: ModelRecord): ModelVersion | undefined {
  const open = versions.filter(({ decision }) => !decision).at(-1);
  if (open) return open;
  const [newest] = versions;
  return newest?.decision?.verdict === "Failed" && isOutdated(observed, newest, newest.decision) ? newest : undefined;
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

/** The data to judge on: the Dataset's current version, or the one that an evaluation of this version began with. */
function targetOf({ model, dataset, jobs }: ObservedModel, version: ModelVersion): Target | Verdict {
  for (const job of jobs) {
    const subject = subjectOf(job);
    if (subject?.kind === "evaluation" && subject.version === version.version && !isFailed(job)) {
      return { datasetVersion: subject.datasetVersion, datasetDigest: subject.datasetDigest };
    }
  }
  const { name, split } = model.spec.evaluation?.datasetRef ?? { name: "", split: "" };
  const waiting = (reason: string, message: string): Verdict => ({ state: "waiting", reason, message });
  if (!dataset) return waiting("DatasetNotFound", `Dataset ${name} does not exist in this namespace`);
  const { version: datasetVersion, digest, splits = {}, label } = dataset.status ?? {};
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
  return { datasetVersion, datasetDigest: digest };
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
  const { datasetRef, resources } = model.spec.evaluation ?? {};
  const { container, port } = template;
  const digest = jsonDigest({
    model: version.digest,
    dataset: target.datasetDigest,
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
  | { kind: "fault"; trouble: Trouble }
  | { kind: "wait"; verdict: Verdict };

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
  const failure = jobFailure(job, pods) ?? crashTrouble(pods, crashesAllowed);
  if (failure && modelFaults.has(failure.reason)) return { kind: "fault", trouble: failure };
  if (failure) {
    const message = `version ${version.version} could not be evaluated: ${failure.message}. Delete Job ${job.metadata.name} to try again`;
    return {
      kind: "wait",
      verdict: { state: failure.retryable ? "waiting" : "stalled", reason: failure.reason, message },
    };
  }
  const message = `version ${version.version} is being evaluated by Job ${job.metadata.name}`;
  return { kind: "wait", verdict: { state: "progressing", reason: "Evaluating", message } };
}

/** The champion on the candidate's data, where a gate asks for it. */
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
  return { found: { version: champion.version, metrics: found.kind === "metrics" ? found.metrics : undefined } };
}
