import {
  deployments as deploymentResource,
  disruptionBudgets,
  horizontalPodAutoscalers,
  httpRoutes,
  prometheusRules,
  scaledObjects,
  serviceMonitors,
  services,
} from "../../kube/resources.ts";
import type { KubeObject, Resource } from "../../kube/types.ts";
import type { ChildRef } from "../../runtime/plan.ts";
import type { Settings } from "../context.ts";
import {
  buildAutoscaler,
  buildDeployment,
  buildDisruptionBudget,
  buildService,
  buildServiceMonitor,
} from "./children.ts";
import { buildHttpRoute } from "./gateway.ts";
import type { ObservedInferenceService } from "./observe.ts";
import type { Revision } from "./revision.ts";
import type { Rollout } from "./rollout.ts";
import { buildScaledObject, wantedScaler } from "./scaling.ts";
import { buildPrometheusRule } from "./slo.ts";

interface Wanted {
  revision: Revision;
  rollout: Rollout;
}
interface Planned {
  apply: { resource: Resource; object: KubeObject }[];
  unwanted: ChildRef[];
}

/** The children as they should be, and those of ours that are no longer asked for, or whose kind's project is gone. */
export function planChildren(
  observed: ObservedInferenceService,
  { revision, rollout }: Wanted,
  settings: Settings,
): Planned {
  const {
    service,
    deployments,
    autoscaler,
    disruptionBudget,
    serviceMonitor,
    prometheusRule,
    httpRoute,
    scaledObject,
    present,
  } = observed;
  const { minReplicas } = service.spec;
  const existing = deployments.find(({ metadata }) => metadata.name === revision.name);
  const traffic = rollout.traffic ?? revision.name;
  const { port, metricsPort } = revision.template;
  const apply: { resource: Resource; object: KubeObject }[] = [
    {
      resource: deploymentResource,
      object: buildDeployment(service, { revision, replicas: rollout.replicas, existing }, settings),
    },
    // While an older revision serves, the Service stays as that revision needs it.
    ...(traffic === revision.name
      ? [{ resource: services, object: buildService(service, { name: traffic, port, metricsPort }) }]
      : []),
  ];
  const unwanted: ChildRef[] = [];
  const optional = (wanted: boolean, resource: Resource, seen: KubeObject | undefined, build: () => KubeObject) => {
    if (wanted) apply.push({ resource, object: build() });
    else if (seen?.metadata.uid && isOwned(seen, service.metadata.uid)) {
      const { namespace = "", name, uid } = seen.metadata;
      unwanted.push({ resource, namespace, name, uid });
    }
  };
  const scaler = wantedScaler(observed);
  optional(scaler === "cpu", horizontalPodAutoscalers, autoscaler, () => buildAutoscaler(service, traffic));
  optional(scaler === "query", scaledObjects, scaledObject, () => buildScaledObject(service, traffic));
  optional(minReplicas > 1, disruptionBudgets, disruptionBudget, () => buildDisruptionBudget(service));
  const monitored = present.has("serviceMonitors") && metricsPort !== undefined;
  optional(monitored, serviceMonitors, serviceMonitor, () => buildServiceMonitor(service));
  const watched = monitored && present.has("prometheusRules") && service.spec.slo !== undefined;
  optional(watched, prometheusRules, prometheusRule, () => buildPrometheusRule(service));
  const routed = present.has("httpRoutes") && service.spec.gateway !== undefined;
  optional(routed, httpRoutes, httpRoute, () => buildHttpRoute(service));
  return { apply, unwanted };
}

function isOwned({ metadata }: KubeObject, uid: string | undefined): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
}
