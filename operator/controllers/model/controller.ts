import type { Model } from "../../api/v1alpha1/model.ts";
import type { TrainingJob } from "../../api/v1alpha1/training-job.ts";
import { byLabel, type Controller, keyOf, references } from "../controller.ts";
import { labels } from "../labels.ts";
import { models } from "../resources.ts";
import { observeModel } from "./observe.ts";
import { planModel } from "./plan.ts";

export const modelController: Controller<Model> = {
  name: "model",
  resource: models,
  cache: "models",
  watches: {
    jobs: byLabel(labels.model),
    pods: byLabel(labels.model),
    datasets: (dataset, { models }) => models.keysByIndex(references.dataset, keyOf(dataset)),
    // A run that ended may have made a version.
    trainingJobs: (job) => [`${job.metadata.namespace}/${(job as TrainingJob & typeof job).spec.modelRef.name}`],
    servingRuntimes: (_, { models }) => models.keys(),
  },
  plan: async (world, model) => planModel(await observeModel(world, model), world.settings, world.clock.now()),
};
