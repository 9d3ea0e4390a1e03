/** What planners observe of a cluster in which nothing of their object is there yet. */
import type { ObservedInferenceService } from "../../operator/controllers/inference-service/observe.ts";
import type { ObservedTrainingJob } from "../../operator/controllers/training-job/observe.ts";
import { servingRuntime, trainingRuntime } from "./kinds.ts";

export const nothingTrained: Omit<ObservedTrainingJob, "trainingJob"> = {
  ...{ model: undefined, runtimes: [trainingRuntime], datasets: new Map(), code: undefined },
  ...{ jobs: [], pods: new Map(), record: { found: { runs: [] } } },
  ...{ localQueue: undefined, present: new Set() },
};

export const nothingServed: Omit<ObservedInferenceService, "service"> = {
  ...{
    model: undefined,
    pinned: { found: undefined },
    runtimes: [servingRuntime],
    deployments: [],
    pods: new Map(),
    front: undefined,
  },
  ...{ autoscaler: undefined, disruptionBudget: undefined, serviceMonitor: undefined },
  ...{ httpRoute: undefined, prometheusRule: undefined, scaledObject: undefined, present: new Set() },
};
