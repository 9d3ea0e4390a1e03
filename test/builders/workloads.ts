/** What the cluster reports of Jobs, pods and Deployments. */
import { type Task, task } from "../../operator/agent/tasks.ts";
import type { ContainerStatus, Deployment, Job, Pod } from "../../operator/controllers/children/types.ts";
import { labels } from "../../operator/controllers/labels.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import { namespace } from "./kinds.ts";

const time = "2026-03-01T10:06:30Z";

/** A Job that was applied, as the API server keeps it. */
export function made(object: KubeObject, status: NonNullable<Job["status"]> = {}): Job {
  const { name } = object.metadata;
  return { ...object, metadata: { ...object.metadata, uid: `uid-${name}`, creationTimestamp: time }, status };
}

/** What a container of a Job of ours is asked to do. Default: the one that ends last. */
export function taskIn({ spec }: Job, wanted?: Task["verb"]): Task {
  const { initContainers = [], containers } = (spec as { template: { spec: PodSpec } }).template.spec;
  const found = wanted ? [...initContainers, ...containers].find(({ name }) => name === wanted) : containers[0];
  const text = found?.env?.find(({ name }) => name === "LEMNIS_TASK")?.value ?? "";
  return task.parse(JSON.parse(text.replaceAll("$$", "$")));
}
interface PodSpec {
  initContainers?: Container[];
  containers: Container[];
}
interface Container {
  name: string;
  env?: { name: string; value?: string }[];
}

type Status = NonNullable<Job["status"]>;

export const running: Status = { active: 1, startTime: time };
/** A Job that ended well, or failed, at this time. */
export const completeAt = (end: string): Status => ({
  ...{ startTime: time, completionTime: end },
  conditions: [{ type: "Complete", status: "True", lastTransitionTime: end }],
});
export const failedAt = (end: string): Status => ({
  startTime: time,
  conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded", lastTransitionTime: end }],
});
export const complete = completeAt(time);
export const failed = failedAt(time);

/** A pod of a workload, with the states of its containers. */
export function pod(workload: string, ...containers: ContainerStatus[]): Pod {
  return {
    ...{ apiVersion: "v1", kind: "Pod" },
    metadata: {
      ...{ name: `${workload}-abcde`, namespace, creationTimestamp: time },
      labels: { [labels.workload]: workload },
    },
    status: { containerStatuses: containers },
  };
}

/** A container that ended; `message` is what it left as termination message. */
export function ended(name: string, exitCode: number, { reason = "Error", message = "" } = {}): ContainerStatus {
  return { name, state: { terminated: { exitCode, reason, message } } };
}

/** A container of ours that told why it failed. */
export function told(name: string, reason: string, message: string, exitCode = 3): ContainerStatus {
  return ended(name, exitCode, { message: JSON.stringify({ reason, message }) });
}

export function waiting(name: string, reason: string, message = ""): ContainerStatus {
  return { name, state: { waiting: { reason, message } } };
}

/** A Deployment as its controller reports it: this many of its replicas are ready. */
export function deployed(object: KubeObject, ready: number, createdAt = time): Deployment {
  const spec = (object as Deployment).spec ?? {};
  const replicas = spec.replicas ?? 1;
  return {
    ...object,
    metadata: { ...object.metadata, uid: `uid-${object.metadata.name}`, generation: 1, creationTimestamp: createdAt },
    spec,
    status: { observedGeneration: 1, replicas, updatedReplicas: replicas, readyReplicas: ready },
  };
}

/** The same, with pods that the API server does not take. */
export function refused(deployment: Deployment): Deployment {
  const message = 'pods "wine-7d4-x2k9p" is forbidden: exceeded quota: team, requested: memory=8Gi';
  const conditions = [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message }];
  return { ...deployment, status: { ...deployment.status, conditions } };
}
