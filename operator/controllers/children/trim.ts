/** What the caches keep of children: what controllers read, and what drift is looked for in. */
import type { KubeObject } from "../../kube/types.ts";
import { type Deployment, isReplicaFailure, type Job, type Pod } from "./types.ts";

/** These members of it, those that are there. */
function pick<T extends object, K extends keyof T>(object: T | undefined, ...keys: readonly K[]): Pick<T, K> {
  const picked: Partial<T> = {};
  for (const key of keys) if (object?.[key] !== undefined) picked[key] = object[key];
  return picked as Pick<T, K>;
}

/** How a pod's containers stand. */
export function trimPod({ apiVersion, kind, metadata, status }: Pod): Pod {
  const kept = pick(status, "phase", "conditions", "initContainerStatuses", "containerStatuses");
  return { apiVersion, kind, metadata, status: kept };
}

/** How a Job ended. It is made once and never changed, so that its template is not needed again. */
export function trimJob({ apiVersion, kind, metadata, spec, status }: Job): Job {
  const kept = pick(status, "active", "ready", "startTime", "completionTime", "conditions");
  return { apiVersion, kind, metadata, spec: pick(spec, "suspend"), status: kept };
}

/** How many replicas are ready, and why there are too few; other conditions change more often than those. */
export function trimDeployment(deployment: Deployment): Deployment {
  const kept = pick(deployment.status, "observedGeneration", "replicas", "updatedReplicas", "readyReplicas");
  const conditions = deployment.status?.conditions?.filter(isReplicaFailure) ?? [];
  return { ...deployment, status: { ...kept, ...(conditions.length > 0 ? { conditions } : {}) } };
}

/** Nobody reads how it is. */
export function trimStatus<T extends KubeObject>(object: T): T {
  const { status: _, ...kept } = object as T & { status?: object };
  return kept as unknown as T;
}
