import type { InferenceService } from "../../api/v1alpha1/inference-service.ts";
import type { Model } from "../../api/v1alpha1/model.ts";
import type { ServingRuntime } from "../../api/v1alpha1/runtimes.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { ModelVersion } from "../../store/api.ts";
import { StoreError } from "../../store/client.ts";
import type { Deployment, Pod, Service } from "../children/types.ts";
import { type OptionalKind, ownerIndex, podsOf, presentKinds, type World } from "../context.ts";
import { type Answer, askStore } from "../records.ts";
import type { HttpRoute } from "./gateway.ts";
import type { ScaledObject } from "./scaling.ts";

/** All that an InferenceService's plan depends on. */
export interface ObservedInferenceService {
  service: InferenceService;
  model: Model | undefined;
  /** The version that the manifest is pinned to, where the Model's status has no room for one so old. */
  pinned: Answer<ModelVersion | undefined>;
  runtimes: readonly ServingRuntime[];
  deployments: readonly Deployment[];
  pods: ReadonlyMap<string, readonly Pod[]>;
  /** The Service that carries the traffic, when it is there. */
  front: Service | undefined;
  autoscaler: KubeObject | undefined;
  disruptionBudget: KubeObject | undefined;
  serviceMonitor: KubeObject | undefined;
  prometheusRule: KubeObject | undefined;
  httpRoute: HttpRoute | undefined;
  scaledObject: ScaledObject | undefined;
  /** The kinds of other projects that the cluster has. */
  present: ReadonlySet<OptionalKind>;
}

export async function observeInferenceService(
  world: World,
  service: InferenceService,
): Promise<ObservedInferenceService> {
  const { caches } = world;
  const { name, namespace = "", uid = "" } = service.metadata;
  const modelName = service.spec.modelRef?.name;
  const model = modelName ? caches.models.get(namespace, modelName) : undefined;
  const deployments = caches.deployments.byIndex(ownerIndex, uid);
  return {
    service,
    model,
    pinned: await pinnedVersion(world, service, model),
    runtimes: caches.servingRuntimes.list(),
    deployments,
    pods: podsOf(caches, deployments),
    front: caches.services.get(namespace, name),
    autoscaler: caches.autoscalers.get(namespace, name),
    disruptionBudget: caches.disruptionBudgets.get(namespace, name),
    serviceMonitor: caches.serviceMonitors.get(namespace, name),
    prometheusRule: caches.prometheusRules.get(namespace, name),
    scaledObject: caches.scaledObjects.get(namespace, name),
    httpRoute: caches.httpRoutes.get(namespace, name),
    present: presentKinds(world, ["serviceMonitors", "prometheusRules", "httpRoutes", "scaledObjects"]),
  };
}

async function pinnedVersion(
  { store }: World,
  { spec }: InferenceService,
  model: Model | undefined,
): Promise<ObservedInferenceService["pinned"]> {
  const version = spec.modelRef?.version;
  const shown = model?.status?.versions?.map((candidate) => candidate.version) ?? [];
  if (!model || version === undefined || version >= Math.max(0, ...shown) || shown.includes(version))
    return { found: undefined };
  const { namespace = "", name } = model.metadata;
  return askStore(() =>
    store.getModelVersion(namespace, name, String(version)).catch((error: unknown) => {
      if (error instanceof StoreError && error.status === 404) return undefined;
      throw error;
    }),
  );
}
