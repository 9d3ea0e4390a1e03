import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import { byLabel, type Controller } from "../controller.ts";
import { labels } from "../labels.ts";
import { datasets } from "../resources.ts";
import { observeDataset } from "./observe.ts";
import { planDataset } from "./plan.ts";

export const datasetController: Controller<Dataset> = {
  name: "dataset",
  resource: datasets,
  cache: "datasets",
  watches: { jobs: byLabel(labels.dataset), pods: byLabel(labels.dataset) },
  plan: async (world, dataset) => planDataset(await observeDataset(world, dataset), world.settings, world.clock.now()),
};
