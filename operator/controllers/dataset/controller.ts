import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import { byLabel, type Controller, keyOf, references } from "../controller.ts";
import { labels } from "../labels.ts";
import { datasets } from "../resources.ts";
import { observeDataset } from "./observe.ts";
import { planDataset } from "./plan.ts";

const own = byLabel(labels.dataset);

export const datasetController: Controller<Dataset> = {
  name: "dataset",
  resource: datasets,
  cache: "datasets",
  watches: {
    ...{ jobs: own, pods: own, deployments: own, services: own, serviceMonitors: own },
    // Those that are derived from it.
    datasets: (dataset, { datasets }) => datasets.byIndex(references.dataset, keyOf(dataset)).map(keyOf),
  },
  plan: async (world, dataset) => planDataset(await observeDataset(world, dataset), world.settings, world.clock.now()),
};
