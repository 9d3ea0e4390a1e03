import type { z } from "zod";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { Model } from "../../api/v1alpha1/model.ts";
import type { TrainingRuntime } from "../../api/v1alpha1/runtimes.ts";
import type { TrainingJob } from "../../api/v1alpha1/training-job.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { trainingJob as trainingJobRecord } from "../../store/api.ts";
import { jobsOf, type ObservedJobs, type OptionalKind, presentKinds, type World } from "../context.ts";
import { type Answer, askStore } from "../records.ts";
import type { Verdict } from "../verdict.ts";
import { type Code, codeOf } from "./code.ts";

export type TrainingJobRecord = z.infer<typeof trainingJobRecord>;

/** All that a TrainingJob's plan depends on. */
export interface ObservedTrainingJob extends ObservedJobs {
  trainingJob: TrainingJob;
  model: Model | undefined;
  runtimes: readonly TrainingRuntime[];
  /** The inputs' Datasets that exist, by name. */
  datasets: ReadonlyMap<string, Dataset>;
  /** What the run's code is, or why it can't be had; undefined when none is asked for. */
  code: Code | Verdict | undefined;
  /** The queue of spec.queueName, when it is there. */
  localQueue: KubeObject | undefined;
  /** The kinds of other projects that the cluster has. */
  present: ReadonlySet<OptionalKind>;
  record: Answer<TrainingJobRecord>;
}

export async function observeTrainingJob(world: World, trainingJob: TrainingJob): Promise<ObservedTrainingJob> {
  const { caches, store } = world;
  const { name, namespace = "" } = trainingJob.metadata;
  const { queueName } = trainingJob.spec;
  const datasets = new Map<string, Dataset>();
  for (const { datasetRef } of trainingJob.spec.inputs ?? []) {
    const dataset = caches.datasets.get(namespace, datasetRef.name);
    if (dataset) datasets.set(datasetRef.name, dataset);
  }
  return {
    trainingJob,
    ...jobsOf(world, trainingJob),
    model: caches.models.get(namespace, trainingJob.spec.modelRef.name),
    runtimes: caches.trainingRuntimes.list(),
    datasets,
    code: await codeOf(world, trainingJob),
    localQueue: queueName ? caches.localQueues.get(namespace, queueName) : undefined,
    present: presentKinds(world, ["localQueues"]),
    record: await askStore(() => store.trainingJob(namespace, name)),
  };
}
