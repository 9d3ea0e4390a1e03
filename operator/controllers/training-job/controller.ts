import type { TrainingJob } from "../../api/v1alpha1/training-job.ts";
import { byLabel, type Controller, keyOf, references } from "../controller.ts";
import { labels } from "../labels.ts";
import { trainingJobs } from "../resources.ts";
import { observeTrainingJob } from "./observe.ts";
import { planTrainingJob } from "./plan.ts";

export const trainingJobController: Controller<TrainingJob> = {
  name: "trainingjob",
  resource: trainingJobs,
  cache: "trainingJobs",
  watches: {
    jobs: byLabel(labels.trainingJob),
    pods: byLabel(labels.trainingJob),
    datasets: (dataset, { trainingJobs }) => trainingJobs.keysByIndex(references.dataset, keyOf(dataset)),
    models: (model, { trainingJobs }) => trainingJobs.keysByIndex(references.model, keyOf(model)),
    localQueues: (queue, { trainingJobs }) => trainingJobs.keysByIndex(references.queue, keyOf(queue)),
    configMaps: (code, { trainingJobs }) => trainingJobs.keysByIndex(references.code, keyOf(code)),
    gitRepositories: (code, { trainingJobs }) => trainingJobs.keysByIndex(references.git, keyOf(code)),
    trainingRuntimes: (_, { trainingJobs }) => trainingJobs.keys(),
  },
  plan: async (world, trainingJob) =>
    planTrainingJob(await observeTrainingJob(world, trainingJob), world.settings, world.clock.now()),
};
