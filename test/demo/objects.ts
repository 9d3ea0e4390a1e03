/** Looking at the four kinds as a person would: one line each, printed when it changes. */
import type { Dataset } from "../../operator/api/v1alpha1/dataset.ts";
import type { InferenceService } from "../../operator/api/v1alpha1/inference-service.ts";
import type { Model } from "../../operator/api/v1alpha1/model.ts";
import type { TrainingJob } from "../../operator/api/v1alpha1/training-job.ts";
import { listObjects, type Target } from "./target.ts";

export type LoopObject = Dataset | TrainingJob | Model | InferenceService;

export interface Loop {
  dataset?: Dataset;
  trainingJob?: TrainingJob;
  model?: Model;
  service?: InferenceService;
}

export async function readLoop(target: Target, name: string): Promise<Loop> {
  const kinds = "datasets.lemnis.dev,trainingjobs.lemnis.dev,models.lemnis.dev,inferenceservices.lemnis.dev";
  const loop: Loop = {};
  for (const object of await listObjects<LoopObject>(target, kinds)) {
    if (object.metadata.name !== name) continue;
    if (object.kind === "Dataset") loop.dataset = object;
    else if (object.kind === "TrainingJob") loop.trainingJob = object;
    else if (object.kind === "Model") loop.model = object;
    else loop.service = object;
  }
  return loop;
}

/** Ready, and for the latest spec. */
export function isReady(object: LoopObject | undefined): boolean {
  const { status, metadata } = object ?? {};
  const ready = status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True");
  const busy = status?.conditions?.some(({ type, status }) => type === "Reconciling" && status === "True");
  return ready === true && !busy && status?.observedGeneration === metadata?.generation;
}

/** Reads the loop until it is as asked; prints each object's state whenever it changes. */
export async function watchLoop(
  target: Target,
  { name, until, timeoutMs }: { name: string; until: (loop: Loop) => boolean; timeoutMs: number },
): Promise<Loop> {
  const deadline = performance.now() + timeoutMs;
  const printed = new Map<string, string>();
  for (;;) {
    const loop = await readLoop(target, name);
    const objects = [loop.dataset, loop.trainingJob, loop.model, loop.service].filter((object) => object !== undefined);
    for (const object of objects) {
      const line = describe(object);
      if (printed.get(object.kind) !== line) target.log(line);
      printed.set(object.kind, line);
    }
    if (until(loop)) return loop;
    if (performance.now() > deadline) {
      const state = objects.map(describe).join("\n");
      throw new Error(`not there after ${Math.round(timeoutMs / 1000)} s; the objects are\n${state}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

function describe(object: LoopObject): string {
  const ready = object.status?.conditions?.find(({ type }) => type === "Ready");
  const mark = ready?.status === "True" ? "✓" : "…";
  const kind = object.kind.padEnd(16);
  const revisions = object.kind === "InferenceService" ? (object.status?.revisions ?? []) : [];
  const draining = revisions
    .filter(({ drainUntil }) => drainUntil)
    .map(({ name, drainUntil = "" }) => `; ${name} finishes its requests until ${drainUntil.slice(11, 19)}`);
  return `  ${mark} ${kind} ${ready?.reason ?? "Created"}: ${ready?.message ?? "waits for the operator"}${draining.join("")}`;
}
