/** A Model planned from values: what its own tests are about. */
import type { Model } from "../../operator/api/v1alpha1/model.ts";
import type { Job, Pod } from "../../operator/controllers/children/types.ts";
import type { ObservedModel } from "../../operator/controllers/model/observe.ts";
import { planModel } from "../../operator/controllers/model/plan.ts";
import type { ModelRecord } from "../../operator/store/api.ts";
import { readyDataset, servingRuntime, start } from "./kinds.ts";
import { settings } from "./settings.ts";
import { made, running } from "./workloads.ts";

export interface Situation extends Partial<Omit<ObservedModel, "model" | "pods" | "record">> {
  pods?: Pod[];
}

export function plan(subject: Model, record: ModelRecord, { jobs = [], pods = [], ...rest }: Situation = {}) {
  const observed: ObservedModel = {
    ...{ model: subject, dataset: readyDataset(), runtimes: [servingRuntime], jobs, record: { found: record } },
    pods: new Map(jobs.map((job) => [job.metadata.name, pods])),
    ...rest,
  };
  return planModel(observed, settings, start);
}

export const readyOf = (planned: { status: Model["status"] }) => planned.status?.conditions?.[0];

/** The Job that evaluates the version that has no decision yet. */
export function evaluationJob(subject: Model, record: ModelRecord, status = running): Job {
  const [child] = plan(subject, record).apply;
  if (!child) throw new Error("nothing is evaluated");
  return made(child.object, status);
}
