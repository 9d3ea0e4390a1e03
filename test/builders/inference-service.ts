/** An InferenceService planned from values: what its own tests are about. */
import type { InferenceService } from "../../operator/api/v1alpha1/inference-service.ts";
import type { Model, ModelStatus } from "../../operator/api/v1alpha1/model.ts";
import type { Pod, Service } from "../../operator/controllers/children/types.ts";
import type { ObservedInferenceService } from "../../operator/controllers/inference-service/observe.ts";
import { planInferenceService } from "../../operator/controllers/inference-service/plan.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import { digestOf, inferenceService, model, start } from "./kinds.ts";
import { nothingServed } from "./observed.ts";
import { settings } from "./settings.ts";
import { deployed } from "./workloads.ts";

export interface Situation extends Partial<Omit<ObservedInferenceService, "service" | "pods">> {
  pods?: Pod[];
  now?: Date;
}

/** A Model with this champion; all its versions have passed. */
export function championOf(champion: number, changes: Partial<ModelStatus> = {}): Model {
  const versions = [2, 1].map((version) => ({
    ...{ version, digest: digestOf(`model ${version}`), source: "run", stage: "Passed" as const },
  }));
  return model({}, { champion, aliases: { champion }, versions, ...changes });
}

export function plan(service: InferenceService, { deployments = [], pods = [], now = start, ...rest }: Situation = {}) {
  const observed: ObservedInferenceService = {
    ...{ ...nothingServed, service, model: championOf(1), deployments },
    pods: new Map(deployments.map(({ metadata }) => [metadata.name, pods])),
    ...rest,
  };
  return planInferenceService(observed, settings, now);
}

type Planned = ReturnType<typeof plan>;
export const child = (planned: Planned, kind: string) =>
  planned.apply.find(({ object }) => object.kind === kind)?.object;
export const readyOf = (planned: Planned) => planned.status?.conditions?.[0];
export const selectorOf = (planned: Planned) => (child(planned, "Service") as Service | undefined)?.spec?.selector;

/** The service after its first revision serves version 1. */
export function serving(spec: object = {}) {
  const first = plan(inferenceService(spec));
  const deployment = deployed(child(first, "Deployment") as KubeObject, 1, "2026-03-01T10:06:00Z");
  const front = child(first, "Service") as Service;
  const { status } = plan(inferenceService(spec), { deployments: [deployment], front });
  return { deployment, front, service: inferenceService(spec, status) };
}
