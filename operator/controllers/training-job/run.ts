/** A run: all that goes into one training, resolved and named by its digest. */
import { z } from "zod";
import { jsonDigest, shortDigest } from "../../api/digest.ts";
import type { TrainingJob, TrainingTemplate } from "../../api/v1alpha1/training-job.ts";
import { type RunSpec, runSpec } from "../../store/api.ts";
import { type References, referencesTo } from "../children/reference.ts";
import { finishedAt, isComplete, isFinished, type Job } from "../children/types.ts";
import { annotations } from "../labels.ts";
import { essence, isVerdict, resolveTemplate } from "../runtime-template.ts";
import { lackingSplit } from "../splits.ts";
import type { Verdict } from "../verdict.ts";
import type { Code } from "./code.ts";
import type { ObservedTrainingJob, TrainingJobRecord } from "./observe.ts";

export interface WantedRun {
  digest: string;
  spec: RunSpec;
  template: TrainingTemplate;
  format: string;
  code: Code | undefined;
  /** What `stage` needs for inputs that are stored by reference. */
  references: References;
}

const jobRun = runSpec.extend({ digest: z.string() });
/** What a training Job's annotation says of its run. */
export type JobRun = z.infer<typeof jobRun>;

/** The run that a training Job makes, as its annotation tells. */
export function runOf(job: Job): JobRun | undefined {
  const text = job.metadata.annotations?.[annotations.run];
  return text ? jobRun.parse(JSON.parse(text)) : undefined;
}

export function jobName(trainingJob: TrainingJob, digest: string): string {
  return `${trainingJob.metadata.name}-${shortDigest(digest)}`;
}

/** The run that the manifest and the current data ask for, or what is still missing. */
export function resolveRun(observed: ObservedTrainingJob): WantedRun | Verdict {
  const { trainingJob, model, datasets, code } = observed;
  const { spec } = trainingJob;
  const parameters = spec.parameters ?? {};
  const badParameter = Object.entries(parameters).find(([, value]) => !isScalar(value));
  if (badParameter) {
    const message = `spec.parameters.${badParameter[0]} must be a string, a number or a boolean`;
    return { state: "stalled", reason: "InvalidParameters", message };
  }
  if (!model) return missing("ModelNotFound", `Model ${spec.modelRef.name} does not exist in this namespace`);
  const { template: own, runtimeRef } = spec;
  const wish = { template: own, runtimeRef, format: model.spec.format.name };
  const template = resolveTemplate(wish, observed.runtimes, "TrainingRuntime");
  if (isVerdict(template)) return template;
  if (code && isVerdict(code)) return code;
  const inputs = [];
  for (const { name, datasetRef } of spec.inputs ?? []) {
    const status = datasets.get(datasetRef.name)?.status;
    if (!datasets.has(datasetRef.name)) {
      return missing("DatasetNotFound", `Dataset ${datasetRef.name} does not exist in this namespace`);
    }
    if (!status?.version || !status.digest) {
      return missing("DatasetNotReady", `Dataset ${datasetRef.name} has no version yet`);
    }
    const lacking = lackingSplit(datasetRef, status.splits ?? {});
    if (lacking) return missing("SplitNotFound", lacking);
    const { split } = datasetRef;
    inputs.push({
      name,
      dataset: datasetRef.name,
      version: status.version,
      digest: status.digest,
      ...(status.revision ? { revision: status.revision } : {}),
      ...(split ? { split } : {}),
    });
  }
  const references = referencesTo([...datasets.values()]);
  const recipe = jsonDigest({
    container: essence(template.container),
    runAsUser: template.runAsUser,
    code: code?.digest,
    inputs: spec.inputs,
    parameters,
    model: spec.modelRef.name,
    format: model.spec.format.name,
  });
  const earlier = latestRun(observed, recipe);
  const pinned = earlier && !spec.triggers.datasetChange ? earlier.inputs : inputs;
  return {
    // Two runs of one recipe on the same data are the same run.
    digest: jsonDigest({
      recipe,
      inputs: pinned.map(({ name, digest, revision, split }) => ({ name, digest, revision, split })),
    }),
    spec: {
      trigger: earlier ? "DatasetChange" : "Spec",
      recipe,
      inputs: pinned,
      parameters: parameters as RunSpec["parameters"],
      image: template.container.image,
      ...(code ? { code: code.digest } : {}),
      ...(code?.commit ? { commit: code.commit } : {}),
    },
    code,
    template,
    references,
    format: model.spec.format.name,
  };
}

/** Which run of a recipe stands for it: one that is under way, before one that succeeded, before one that failed. */
const standing = { open: 0, succeeded: 1, failed: 2 };

/** The run of this recipe that stands for it, of several the newest; a failed one only while it has a Job. */
function latestRun({ record, jobs }: ObservedTrainingJob, recipe: string): RunSpec | undefined {
  const ofJobs = jobs.map((job) => {
    const { open, succeeded, failed } = standing;
    const rank = isComplete(job) ? succeeded : isFinished(job) ? failed : open;
    return { run: runOf(job), rank, time: finishedAt(job) ?? job.metadata.creationTimestamp ?? 0 };
  });
  const runs: TrainingJobRecord["runs"] = "found" in record ? record.found.runs : [];
  const recorded = runs
    .filter(({ phase }) => phase === "Succeeded")
    .map((run) => ({ run, rank: standing.succeeded, time: run.finishedAt }));
  const [first] = [...ofJobs, ...recorded]
    .filter(({ run }) => run?.recipe === recipe)
    .sort((a, b) => a.rank - b.rank || new Date(b.time).getTime() - new Date(a.time).getTime());
  return first?.run;
}

function missing(reason: string, message: string): Verdict {
  return { state: "waiting", reason, message };
}

function isScalar(value: unknown): boolean {
  return (
    typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))
  );
}
