/** Serving a Dataset's newest rows by key: from its first version on, for as long as the manifest has `online`. */
import { deployments, serviceMonitors, services } from "../../kube/resources.ts";
import type { KubeObject, Resource } from "../../kube/types.ts";
import type { ChildRef, Plan } from "../../runtime/plan.ts";
import { crashTrouble, refusalTrouble, startTrouble } from "../children/failure.ts";
import type { PodSettings } from "../children/pod.ts";
import type { Deployment, Pod } from "../children/types.ts";
import type { DomainCondition } from "../verdict.ts";
import { buildFeatureDeployment, buildFeatureMonitor, buildFeatureService, featuresUrl } from "./feature-server.ts";
import type { ObservedDataset } from "./observe.ts";

/** The feature server as it is. */
export interface ObservedFeatures {
  deployment: Deployment | undefined;
  pods: readonly Pod[];
  service: KubeObject | undefined;
  monitor: KubeObject | undefined;
  hasServiceMonitors: boolean;
}

export function planFeatures(
  { dataset, features }: ObservedDataset,
  settings: PodSettings,
  hasVersion: boolean,
): Pick<Plan<object>, "apply" | "delete"> {
  const wanted = dataset.spec.online !== undefined && (hasVersion || features.deployment !== undefined);
  const children: { wanted: boolean; resource: Resource; seen: KubeObject | undefined; build: () => KubeObject }[] = [
    {
      wanted,
      resource: deployments,
      seen: features.deployment,
      build: () => buildFeatureDeployment(dataset, settings),
    },
    { wanted, resource: services, seen: features.service, build: () => buildFeatureService(dataset) },
    {
      wanted: wanted && features.hasServiceMonitors,
      ...{ resource: serviceMonitors, seen: features.monitor, build: () => buildFeatureMonitor(dataset) },
    },
  ];
  return {
    apply: children.filter((child) => child.wanted).map(({ resource, build }) => ({ resource, object: build() })),
    delete: children.flatMap(({ wanted, resource, seen }) =>
      !wanted && seen && isOwned(seen, dataset.metadata.uid) ? [refTo(resource, seen)] : [],
    ),
  };
}

function isOwned({ metadata }: KubeObject, uid: string | undefined): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
}

function refTo(resource: Resource, { metadata: { namespace = "", name, uid = "" } }: KubeObject): ChildRef {
  return { resource, namespace, name, uid };
}

export function featuresCondition({ dataset, features }: ObservedDataset): DomainCondition[] {
  const { online } = dataset.spec;
  if (!online) return [];
  const { deployment, pods } = features;
  const type = "FeaturesServed";
  if (!deployment) return [{ type, status: false, reason: "FeaturesStarting", message: "waits for the first version" }];
  const ready = deployment.status?.readyReplicas ?? 0;
  const count = `${ready} of ${online.replicas} replicas ready`;
  if (ready > 0)
    return [{ type, status: true, reason: "FeaturesServed", message: `${count} at ${featuresUrl(dataset)}` }];
  const trouble = crashTrouble(pods, 1) ?? startTrouble(pods) ?? refusalTrouble(deployment);
  const reason = trouble?.reason ?? "FeaturesStarting";
  return [{ type, status: false, reason, message: trouble ? `${count}: ${trouble.message}` : count }];
}
