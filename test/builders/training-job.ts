/** A TrainingJob planned from values: what its own tests are about. */
import type { TrainingJob } from "../../operator/api/v1alpha1/training-job.ts";
import type { Job, Pod } from "../../operator/controllers/children/types.ts";
import type { ObservedTrainingJob } from "../../operator/controllers/training-job/observe.ts";
import { planTrainingJob } from "../../operator/controllers/training-job/plan.ts";
import { runOf } from "../../operator/controllers/training-job/run.ts";
import type { Run } from "../../operator/store/api.ts";
import { model, readyDataset, start } from "./kinds.ts";
import { nothingTrained } from "./observed.ts";
import { runRecord } from "./records.ts";
import { settings } from "./settings.ts";
import { made, running } from "./workloads.ts";

export interface Situation extends Partial<Omit<ObservedTrainingJob, "trainingJob" | "pods" | "record">> {
  pods?: Pod[];
  runs?: Run[];
}

export function plan(subject: TrainingJob, { jobs = [], pods = [], runs = [], ...rest }: Situation = {}) {
  const observed: ObservedTrainingJob = {
    ...{ ...nothingTrained, trainingJob: subject, model: model() },
    ...{ datasets: new Map([["wine", readyDataset()]]), jobs, record: { found: { runs } } },
    pods: new Map(jobs.map((job) => [job.metadata.name, pods])),
    ...rest,
  };
  return planTrainingJob(observed, settings, start);
}

export function jobOf(subject: TrainingJob, status: Job["status"] = running, situation: Situation = {}): Job {
  const [child] = plan(subject, situation).apply;
  if (!child) throw new Error("no run starts");
  return made(child.object, status);
}

/** The record that a Job's run leaves in the store. */
export function recordOf(job: Job, changes: Partial<Run> = {}): Run {
  const { digest = "", ...spec } = runOf(job) ?? {};
  return runRecord(digest, { ...spec, ...changes });
}

export const readyOf = (planned: { status: TrainingJob["status"] }) => planned.status?.conditions?.[0];
