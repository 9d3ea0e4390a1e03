/** What controllers see of the world: caches, the store, settings. Built once, in main.ts. */
import type { Dataset } from "../api/v1alpha1/dataset.ts";
import type { InferenceService } from "../api/v1alpha1/inference-service.ts";
import type { Model } from "../api/v1alpha1/model.ts";
import type { ServingRuntime, TrainingRuntime } from "../api/v1alpha1/runtimes.ts";
import type { TrainingJob } from "../api/v1alpha1/training-job.ts";
import type { Cache } from "../kube/cache.ts";
import type { KubeClient } from "../kube/client.ts";
import type { KubeObject } from "../kube/types.ts";
import type { Clock } from "../runtime/clock.ts";
import type { StoreClient } from "../store/client.ts";
import type { PodSettings } from "./children/pod.ts";
import type { Deployment, Job, Pod, Service } from "./children/types.ts";

/** Kinds of other projects, which a cluster may have or not. */
export type OptionalKind =
  | "serviceMonitors"
  | "prometheusRules"
  | "httpRoutes"
  | "scaledObjects"
  | "localQueues"
  | "gitRepositories";

export interface Caches extends Record<OptionalKind, Cache<KubeObject>> {
  datasets: Cache<Dataset>;
  trainingJobs: Cache<TrainingJob>;
  models: Cache<Model>;
  inferenceServices: Cache<InferenceService>;
  servingRuntimes: Cache<ServingRuntime>;
  trainingRuntimes: Cache<TrainingRuntime>;
  jobs: Cache<Job>;
  pods: Cache<Pod>;
  deployments: Cache<Deployment>;
  services: Cache<Service>;
  autoscalers: Cache<KubeObject>;
  disruptionBudgets: Cache<KubeObject>;
  /** Metadata alone: contents are fetched when a resourceVersion is new. */
  configMaps: Cache<KubeObject>;
}

export interface Settings extends PodSettings {
  /** How long a revision without traffic keeps its pods, for the clients that still hold connections to them. */
  drainMs: number;
}

export interface World {
  caches: Caches;
  client: KubeClient;
  store: StoreClient;
  settings: Settings;
  clock: Clock;
  /** True while the cluster serves the kind, and its objects are in the cache. */
  has: (kind: OptionalKind) => boolean;
}

/** The indexes that caches of children are made with. */
export const ownerIndex = "owner";
export const workloadIndex = "workload";

export interface ObservedJobs {
  jobs: readonly Job[];
  pods: ReadonlyMap<string, readonly Pod[]>;
}

/** Which optional kinds there are, as a value. */
export function presentKinds(world: World, kinds: readonly OptionalKind[]): ReadonlySet<OptionalKind> {
  return new Set(kinds.filter(world.has));
}

/** An object's Jobs, and each Job's pods. */
export function jobsOf({ caches }: World, owner: { metadata: { uid?: string } }): ObservedJobs {
  const jobs = caches.jobs.byIndex(ownerIndex, owner.metadata.uid ?? "");
  return { jobs, pods: podsOf(caches, jobs) };
}

/** The pods of each workload, by the workload's name. */
export function podsOf(caches: Caches, workloads: readonly KubeObject[]): ReadonlyMap<string, readonly Pod[]> {
  return new Map(
    workloads.map(({ metadata: { name, namespace } }) => [
      name,
      caches.pods.byIndex(workloadIndex, `${namespace}/${name}`),
    ]),
  );
}
