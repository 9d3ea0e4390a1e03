/** Where the traffic goes: to the new revision once it is ready, and off the old one without cutting a request. */
import type { RevisionStatus } from "../../api/v1alpha1/inference-service.ts";
import type { Deployment } from "../children/types.ts";
import { labels } from "../labels.ts";
import type { ObservedInferenceService } from "./observe.ts";

export interface Rollout {
  /** The Deployment that has the traffic after this reconcile; undefined before the first. */
  traffic: string | undefined;
  /** How many replicas the wanted revision runs with. */
  replicas: number;
  /** Old revisions, and until when each keeps its pods. */
  draining: readonly { deployment: Deployment; until: Date }[];
  /** Deployments to delete now. */
  retired: readonly Deployment[];
}

/** `wanted` is the Deployment name of the revision to serve; undefined while none can be made. */
export function planRollout(
  { service, deployments, front }: ObservedInferenceService,
  { wanted, drainMs }: { wanted: string | undefined; drainMs: number },
  now: Date,
): Rollout {
  const { minReplicas, maxReplicas = minReplicas } = service.spec;
  const selected = front?.spec?.selector?.[labels.workload];
  const current = deployments.find(({ metadata }) => metadata.name === selected);
  const next = deployments.find(({ metadata }) => metadata.name === wanted);
  const scaled = maxReplicas > minReplicas;
  // An autoscaler owns the number; a new revision starts with as many replicas as the one it follows.
  const running = scaled ? (next ?? current)?.spec?.replicas : undefined;
  const replicas = Math.min(Math.max(running ?? minReplicas, minReplicas), maxReplicas);
  const moves = wanted !== undefined && (current === undefined || (next !== undefined && isServing(next, replicas)));
  const traffic = moves ? wanted : selected;

  const draining: { deployment: Deployment; until: Date }[] = [];
  const retired: Deployment[] = [];
  for (const deployment of deployments) {
    const { name } = deployment.metadata;
    if (name === traffic || name === wanted) continue;
    const until = drainsUntil(service.status?.revisions, deployment, { selected, drainMs }, now);
    if (until && until > now) draining.push({ deployment, until });
    else retired.push(deployment);
  }
  return { traffic, replicas, draining, retired };
}

/** True when all the wanted replicas of the latest template are ready. */
export function isServing({ metadata, spec, status }: Deployment, replicas: number): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    spec?.replicas === replicas &&
    (status?.updatedReplicas ?? 0) >= replicas &&
    (status?.readyReplicas ?? 0) >= replicas
  );
}

/** A revision that had traffic drains; one that never had any is simply removed. */
function drainsUntil(
  revisions: readonly RevisionStatus[] | undefined,
  { metadata }: Deployment,
  { selected, drainMs }: { selected: string | undefined; drainMs: number },
  now: Date,
): Date | undefined {
  const known = revisions?.find(({ name }) => name === metadata.name);
  if (known?.drainUntil) return new Date(known.drainUntil);
  const hadTraffic = metadata.name === selected || (known?.trafficPercent ?? 0) > 0;
  return hadTraffic ? new Date(Math.ceil((now.getTime() + drainMs) / 1000) * 1000) : undefined;
}
