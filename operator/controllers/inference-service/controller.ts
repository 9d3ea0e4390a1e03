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
  // Each writes one child after the other and asks nobody else: with more, a burst ends in a long tail.
  workers: 24,
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
