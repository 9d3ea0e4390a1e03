import type { Model, ModelStatus, ModelVersionStatus } from "../../api/v1alpha1/model.ts";
import type { ModelRecord, ModelVersion } from "../../store/api.ts";
import type { Job } from "../children/types.ts";
import { clip, conditionsOf, type DomainCondition, type Verdict } from "../verdict.ts";
import type { Aliases } from "./aliases.ts";
import type { Step } from "./evaluate.ts";
import { evaluationsOf } from "./jobs.ts";

/** Versions in the status beside those that aliases name. */
const versionsShown = 20;
/** A uri may be longer than what the status has room for; the store has all of it. */
const sourceLength = 512;

interface Situation {
  model: Model;
  record: ModelRecord;
  step: Step;
  aliases: Aliases;
  importProblem: Verdict | undefined;
}

/** How the Model stands: what the user has to mend first, then what is under way, then the champion. */
export function conclude({ model, record, step, aliases, importProblem }: Situation): Verdict {
  const { champion } = aliases.wanted;
  const ready = champion !== undefined;
  if (aliases.problem) return { state: "stalled", reason: "AliasInvalid", message: aliases.problem, ready };
  if (importProblem) return { ...importProblem, ready };
  if (step.kind === "wait") return { ...step.verdict, ready };
  if (step.kind === "evaluate") {
    const message = `version ${step.input.version.version} is being evaluated`;
    return { state: "progressing", reason: "Evaluating", message, ready };
  }
  const [newest] = record.versions;
  if (!newest) {
    const importing = (model.spec.imports ?? []).length > 0;
    const message = importing ? "importing" : "no version yet: waits for a TrainingJob that names this Model";
    return { state: "waiting", reason: importing ? "Importing" : "NoVersion", message };
  }
  const latest =
    newest.decision && newest.version !== champion ? `; version ${newest.version} ${outcomeText(newest)}` : "";
  if (ready) return { state: "ready", reason: "ChampionReady", message: `version ${champion} is champion${latest}` };
  if (newest.decision?.verdict === "Passed") {
    const message = `version ${newest.version} passed and awaits promotion: set spec.aliases.champion to ${newest.version}`;
    return { state: "waiting", reason: "AwaitingPromotion", message };
  }
  const message = `no version has passed; version ${newest.version} ${outcomeText(newest)}`;
  return { state: "stalled", reason: reasonOf(newest), message };
}

function outcomeText({ decision }: ModelVersion): string {
  return decision?.verdict === "Passed" ? "passed" : `failed: ${decision?.message}`;
}

/** Why the version passed or failed: by its gates, or as it could not be evaluated. */
function reasonOf({ decision }: ModelVersion): string {
  const passed = decision?.verdict === "Passed";
  const reason = passed ? "GatesPassed" : "GatesFailed";
  return decision?.reason ?? reason;
}

interface Projection {
  model: Model;
  record: ModelRecord;
  verdict: Verdict;
  aliases: Aliases;
  jobs: readonly Job[];
}

/** The status: a bounded summary of the store's record. */
export function projectStatus({ model, record, verdict, aliases, jobs }: Projection, now: Date): ModelStatus {
  const { champion } = aliases.wanted;
  const named = new Set(Object.values(aliases.wanted));
  const shown = record.versions.filter((version, index) => index < versionsShown || named.has(version.version));
  const decided = record.versions.find(({ decision }) => decision);
  return {
    observedGeneration: model.metadata.generation ?? 0,
    conditions: conditionsOf(model, { verdict, own: decided ? [candidateCondition(decided)] : [] }, now),
    ...(champion === undefined ? {} : { champion }),
    aliases: aliases.wanted,
    versions: shown.map((version) => versionStatus(version, { champion, jobs })),
  };
}

function candidateCondition(candidate: ModelVersion): DomainCondition {
  const { version, decision } = candidate;
  const passed = decision?.verdict === "Passed";
  return {
    type: "CandidatePassed",
    status: passed,
    reason: reasonOf(candidate),
    message: `version ${version} ${passed ? "passed" : "failed"}: ${decision?.message}`,
  };
}

function versionStatus(
  version: ModelVersion,
  { champion, jobs }: { champion: number | undefined; jobs: readonly Job[] },
): ModelVersionStatus {
  const { decision, source, evaluations } = version;
  const judged = evaluations.find(({ digest }) => digest === decision?.evaluation) ?? evaluations.at(-1);
  const target = judged ?? evaluationsOf(jobs, version.version)[0]?.subject;
  return {
    version: version.version,
    digest: version.digest,
    source: clip("uri" in source ? source.uri : `TrainingJob ${source.trainingJob}, run ${source.run}`, sourceLength),
    stage: stageOf(version, champion),
    ...(target
      ? { evaluatedOn: { dataset: target.dataset, version: target.datasetVersion, digest: target.datasetDigest } }
      : {}),
    ...(judged ? { metrics: judged.metrics } : {}),
    ...(decision ? { gates: decision.gates.map(({ metric, passed, message }) => ({ metric, passed, message })) } : {}),
    ...(decision ? { message: decision.message } : {}),
  };
}

function stageOf({ version, decision }: ModelVersion, champion: number | undefined): ModelVersionStatus["stage"] {
  if (version === champion) return "Champion";
  if (!decision) return "Candidate";
  if (decision.verdict === "Failed") return "Failed";
  return champion !== undefined && version < champion ? "Archived" : "Passed";
}
