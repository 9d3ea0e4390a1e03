import type { Child } from "../../kube/apply.ts";
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
import { type Rollout, selectedBy } from "./rollout.ts";
import { buildScaledObject, wantedScaler } from "./scaling.ts";
import { buildPrometheusRule } from "./slo.ts";

interface Wanted {
  revision: Revision;
  rollout: Rollout;
}
interface Planned {
  apply: Child[];
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
  const { metricsPort } = revision.template;
  const apply: Child[] = [
    {
      resource: deploymentResource,
      object: buildDeployment(service, { revision, replicas: rollout.replicas, existing }, settings),
    },
    ...planFront(observed, revision, rollout),
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

/** The Service, on the revision that has the traffic. While that is an older one, it stays as that one needs it. */
export function planFront(
  { service, deployments, front }: ObservedInferenceService,
  revision: Revision | undefined,
  { traffic }: Rollout,
): Child[] {
  if (traffic === undefined) return [];
  const onto = (ports: { port: number; metricsPort?: number | undefined }) => [
    { resource: services, object: buildService(service, { name: traffic, ...ports }) },
  ];
  if (traffic === revision?.name) return onto(revision.template);
  if (selectedBy(front) === traffic) return [];
  const older = deployments.find(({ metadata }) => metadata.name === traffic);
  const runtime = older?.spec?.template?.spec?.containers?.find(({ name }) => name === "runtime");
  const portOf = (wanted: string) => runtime?.ports?.find(({ name }) => name === wanted)?.containerPort;
  const port = portOf("http");
  return port === undefined ? [] : onto({ port, metricsPort: portOf("metrics") });
}

function isOwned({ metadata }: KubeObject, uid: string | undefined): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
}
