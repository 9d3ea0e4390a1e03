import type { InferenceService } from "../../api/v1alpha1/inference-service.ts";
import { byLabel, type Controller, keyOf, references } from "../controller.ts";
import { labels } from "../labels.ts";
import { inferenceServices } from "../resources.ts";
import { observeInferenceService } from "./observe.ts";
import { planInferenceService } from "./plan.ts";

const own = byLabel(labels.inferenceService);

export const inferenceServiceController: Controller<InferenceService> = {
  name: "inferenceservice",
  resource: inferenceServices,
  cache: "inferenceServices",
  watches: {
    deployments: own,
    pods: own,
    services: own,
    autoscalers: own,
    disruptionBudgets: own,
    serviceMonitors: own,
    prometheusRules: own,
    httpRoutes: own,
    scaledObjects: own,
    models: (model, { inferenceServices }) => inferenceServices.keysByIndex(references.model, keyOf(model)),
    servingRuntimes: (_, { inferenceServices }) => inferenceServices.keys(),
  },
  plan: async (world, service) =>
    planInferenceService(await observeInferenceService(world, service), world.settings, world.clock.now()),
};
