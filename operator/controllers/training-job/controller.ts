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
    datasets: (dataset, { trainingJobs }) => trainingJobs.byIndex(references.dataset, keyOf(dataset)).map(keyOf),
    models: (model, { trainingJobs }) => trainingJobs.byIndex(references.model, keyOf(model)).map(keyOf),
    localQueues: (queue, { trainingJobs }) => trainingJobs.byIndex(references.queue, keyOf(queue)).map(keyOf),
    configMaps: (code, { trainingJobs }) => trainingJobs.byIndex(references.code, keyOf(code)).map(keyOf),
    gitRepositories: (code, { trainingJobs }) => trainingJobs.byIndex(references.git, keyOf(code)).map(keyOf),
    trainingRuntimes: (_, { trainingJobs }) => trainingJobs.list().map(keyOf),
  },
  plan: async (world, trainingJob) =>
    planTrainingJob(await observeTrainingJob(world, trainingJob), world.settings, world.clock.now()),
};
