/** The caches that the controllers read, each kept by its watch. */

import type { Dataset } from "./api/v1alpha1/dataset.ts";
import type { InferenceService } from "./api/v1alpha1/inference-service.ts";
import type { Model } from "./api/v1alpha1/model.ts";
import type { ServingRuntime, TrainingRuntime } from "./api/v1alpha1/runtimes.ts";
import type { TrainingJob } from "./api/v1alpha1/training-job.ts";
import { trimDeployment, trimJob, trimPod, trimStatus } from "./controllers/children/trim.ts";
import type { Deployment, Job, Pod } from "./controllers/children/types.ts";
import { type Caches, ownerIndex, workloadIndex } from "./controllers/context.ts";
import { references } from "./controllers/controller.ts";
import { labels, managedSelector } from "./controllers/labels.ts";
import * as own from "./controllers/resources.ts";
import { type GitRepository, trimGitRepository } from "./controllers/training-job/git-code.ts";
import type { Indexes } from "./kube/cache.ts";
import type { KubeClient } from "./kube/client.ts";
import { type Change, Reflector, type ReflectorOptions, type RestartReason } from "./kube/reflector.ts";
import * as builtin from "./kube/resources.ts";
import type { KubeObject, Resource } from "./kube/types.ts";
import { byUse } from "./optional-kinds.ts";

export type Reflectors = { [K in keyof Caches]: Reflector<ReturnType<Caches[K]["list"]>[number]> };

interface Listeners {
  relistMs: number;
  onChange: (cache: keyof Caches, change: Change<KubeObject>) => void;
  onRestart: (resource: Resource, reason: RestartReason, error?: unknown) => void;
}

const byOwner: Indexes<KubeObject> = {
  [ownerIndex]: ({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid),
};

export function createReflectors(client: KubeClient, { relistMs, onChange, onRestart }: Listeners): Reflectors {
  function reflect<T extends KubeObject>(
    cache: keyof Caches,
    resource: Resource,
    // Of some it only counts that they are there.
    { onlyExistence = false, ...options }: ReflectorOptions<T> & { onlyExistence?: boolean } = {},
  ) {
    return new Reflector<T>(client, resource, {
      ...options,
      relistMs,
      onChange: (change) => {
        if (!onlyExistence || change.type !== "modified") onChange(cache, change);
      },
      onRestart: (reason, error) => onRestart(resource, reason, error),
    });
  }
  const child = { labelSelector: managedSelector, indexes: byOwner };
  const inNamespace = ({ metadata }: KubeObject, name: string | undefined) =>
    name ? [`${metadata.namespace}/${name}`] : [];
  return {
    datasets: reflect<Dataset>("datasets", own.datasets, {
      indexes: {
        ...byUse("datasets"),
        [references.dataset]: (dataset) =>
          (dataset.spec.from ?? []).flatMap(({ datasetRef }) => inNamespace(dataset, datasetRef.name)),
      },
    }),
    trainingJobs: reflect<TrainingJob>("trainingJobs", own.trainingJobs, {
      indexes: {
        ...byUse("trainingJobs"),
        [references.dataset]: (job) =>
          (job.spec.inputs ?? []).flatMap(({ datasetRef }) => inNamespace(job, datasetRef.name)),
        [references.model]: (job) => inNamespace(job, job.spec.modelRef.name),
        [references.queue]: (job) => inNamespace(job, job.spec.queueName),
        [references.code]: (job) => inNamespace(job, job.spec.code?.configMapRef?.name),
        [references.git]: (job) => inNamespace(job, job.spec.code?.gitRepositoryRef?.name),
      },
    }),
    models: reflect<Model>("models", own.models, {
      indexes: {
        ...byUse("models"),
        [references.dataset]: (model) => inNamespace(model, model.spec.evaluation?.datasetRef.name),
      },
    }),
    inferenceServices: reflect<InferenceService>("inferenceServices", own.inferenceServices, {
      indexes: {
        ...byUse("inferenceServices"),
        [references.model]: (service) => inNamespace(service, service.spec.modelRef?.name),
      },
    }),
    servingRuntimes: reflect<ServingRuntime>("servingRuntimes", own.servingRuntimes),
    trainingRuntimes: reflect<TrainingRuntime>("trainingRuntimes", own.trainingRuntimes),
    jobs: reflect<Job>("jobs", builtin.jobs, { ...child, trim: trimJob }),
    pods: reflect<Pod>("pods", builtin.pods, {
      labelSelector: managedSelector,
      indexes: {
        [workloadIndex]: (pod) => inNamespace(pod, pod.metadata.labels?.[labels.workload]),
      },
      trim: trimPod,
    }),
    deployments: reflect<Deployment>("deployments", builtin.deployments, { ...child, trim: trimDeployment }),
    services: reflect("services", builtin.services, { ...child, trim: trimStatus }),
    autoscalers: reflect("autoscalers", builtin.horizontalPodAutoscalers, { ...child, trim: trimStatus }),
    disruptionBudgets: reflect("disruptionBudgets", builtin.disruptionBudgets, { ...child, trim: trimStatus }),
    configMaps: reflect("configMaps", builtin.configMaps, { metadataOnly: true }),
    serviceMonitors: reflect("serviceMonitors", builtin.serviceMonitors, child),
    prometheusRules: reflect("prometheusRules", builtin.prometheusRules, child),
    httpRoutes: reflect("httpRoutes", builtin.httpRoutes, child),
    scaledObjects: reflect("scaledObjects", builtin.scaledObjects, child),
    localQueues: reflect("localQueues", builtin.localQueues, { metadataOnly: true, onlyExistence: true }),
    gitRepositories: reflect<GitRepository>("gitRepositories", builtin.gitRepositories, { trim: trimGitRepository }),
  };
}
