/** How many replicas: a HorizontalPodAutoscaler by CPU, or KEDA by a query, where the cluster has it. */
import type { InferenceService } from "../../api/v1alpha1/inference-service.ts";
import { scaledObjects } from "../../kube/resources.ts";
import { apiVersionOf, type KubeObject } from "../../kube/types.ts";
import type { ConditionLike } from "../children/types.ts";
import type { DomainCondition } from "../verdict.ts";
import { metadataOf } from "./children.ts";
import type { ObservedInferenceService } from "./observe.ts";

/** The part of a ScaledObject that is read. */
export interface ScaledObject extends KubeObject {
  status?: { conditions?: readonly ConditionLike[] };
}

/** Which autoscaler there should be. KEDA takes none that another one scales: ours goes first, and KEDA's comes then. */
export function wantedScaler({ service, present, autoscaler }: ObservedInferenceService): "cpu" | "query" | undefined {
  const { minReplicas, maxReplicas = minReplicas, scaleQuery } = service.spec;
  if (maxReplicas <= minReplicas) return undefined;
  if (!scaleQuery || !present.has("scaledObjects")) return "cpu";
  return autoscaler ? undefined : "query";
}

export function buildScaledObject(service: InferenceService, deployment: string): KubeObject {
  const { minReplicas, maxReplicas, scaleQuery } = service.spec;
  const { serverAddress = "", query = "", threshold = 0 } = scaleQuery ?? {};
  return {
    apiVersion: apiVersionOf(scaledObjects),
    kind: scaledObjects.kind,
    metadata: metadataOf(service, service.metadata.name),
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
      minReplicaCount: minReplicas,
      maxReplicaCount: maxReplicas,
      triggers: [{ type: "prometheus", metadata: { serverAddress, query, threshold: String(threshold) } }],
    },
  } as KubeObject;
}

/** ScalingReady: whether the query scales the service. */
export function scalingCondition({
  service,
  present,
  scaledObject,
}: ObservedInferenceService): DomainCondition | undefined {
  if (!service.spec.scaleQuery) return undefined;
  const condition = (status: boolean, reason: string, message: string) => ({
    ...{ type: "ScalingReady", status, reason, message: message.slice(0, 1024) },
  });
  if (!present.has("scaledObjects")) {
    const message = `spec.scaleQuery needs KEDA, and the cluster serves no ScaledObjects (${apiVersionOf(scaledObjects)}): install it; until then a HorizontalPodAutoscaler scales by CPU`;
    return condition(false, "KedaNotFound", message);
  }
  const ready = scaledObject?.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True")
    return condition(true, "ScalerReady", `the query scales ScaledObject ${service.metadata.name}`);
  if (ready?.status === "False") return condition(false, "ScalerFailed", `KEDA: ${ready.reason}: ${ready.message}`);
  return condition(
    false,
    "ScalerPending",
    `KEDA has not said anything yet of ScaledObject ${service.metadata.name}: does its operator run?`,
  );
}
