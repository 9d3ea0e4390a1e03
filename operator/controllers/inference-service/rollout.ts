/** Where the traffic goes: to the new revision once it is ready, and off the old one without cutting a request. */
import type { InferenceService, RevisionStatus } from "../../api/v1alpha1/inference-service.ts";
import type { Deployment, Service } from "../children/types.ts";
import { annotations, labels } from "../labels.ts";
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
  const current = servingNow({ service, deployments, front }, wanted);
  const next = deployments.find(({ metadata }) => metadata.name === wanted);
  const scaled = maxReplicas > minReplicas;
  // An autoscaler owns the number; a new revision starts with as many replicas as the one it follows.
  const running = scaled ? (next ?? current)?.spec?.replicas : undefined;
  const replicas = Math.min(Math.max(running ?? minReplicas, minReplicas), maxReplicas);
  const isReady = next !== undefined && isServing(next, replicas) && isSpared(service, next);
  const moves = wanted !== undefined && (current === undefined || isReady);
  const serving = current?.metadata.name;
  const traffic = moves ? wanted : serving;

  const draining: { deployment: Deployment; until: Date }[] = [];
  const retired: Deployment[] = [];
  for (const deployment of deployments) {
    const { name } = deployment.metadata;
    if (name === traffic || name === wanted) continue;
    const until = drainsUntil(service.status?.revisions, deployment, { serving, drainMs }, now);
    if (until && until > now) draining.push({ deployment, until });
    else retired.push(deployment);
  }
  return { traffic, replicas, draining, retired };
}

/**
 * The Deployment that has the traffic: the Service says which. Where it names none that is ready, as somebody has
 * deleted or changed it, the status knows, and where that is lost too, one that is ready is as good, the wanted one
 * before the others.
 */
function servingNow(
  { service, deployments, front }: Pick<ObservedInferenceService, "service" | "deployments" | "front">,
  wanted: string | undefined,
): Deployment | undefined {
  const named = (name: string | undefined) => deployments.find(({ metadata }) => metadata.name === name);
  const told = service.status?.revisions?.find(({ trafficPercent }) => trafficPercent > 0)?.name;
  const ready = deployments.filter(({ status }) => (status?.readyReplicas ?? 0) > 0);
  const selected = named(selectedBy(front));
  if (selected && ready.includes(selected)) return selected;
  return named(told) ?? ready.find(({ metadata }) => metadata.name === wanted) ?? ready[0] ?? selected;
}

/** The Deployment that the Service sends requests to. */
export function selectedBy(front: Service | undefined): string | undefined {
  return front?.spec?.selector?.[labels.workload];
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

/**
 * What is noted on the Deployment of a revision that drains and is wanted again. It makes another version of it, before
 * it has the traffic: the deletion that a former leader may have sent is of the version before, and is refused.
 */
export function sparing({ status }: InferenceService, { metadata }: Deployment): Record<string, string> {
  const until = status?.revisions?.find(({ name }) => name === metadata.name)?.drainUntil;
  const spared = until ?? metadata.annotations?.[annotations.spared];
  return spared ? { [annotations.spared]: spared } : {};
}

function isSpared(service: InferenceService, deployment: Deployment): boolean {
  const { [annotations.spared]: wanted } = sparing(service, deployment);
  return deployment.metadata.annotations?.[annotations.spared] === wanted;
}

/** A revision that had traffic drains; one that never had any is simply removed. */
function drainsUntil(
  revisions: readonly RevisionStatus[] | undefined,
  { metadata }: Deployment,
  { serving, drainMs }: { serving: string | undefined; drainMs: number },
  now: Date,
): Date | undefined {
  const known = revisions?.find(({ name }) => name === metadata.name);
  if (known?.drainUntil) return new Date(known.drainUntil);
  const hadTraffic = metadata.name === serving || (known?.trafficPercent ?? 0) > 0;
  return hadTraffic ? new Date(Math.ceil((now.getTime() + drainMs) / 1000) * 1000) : undefined;
}
