/** The parts of built-in objects that controllers read. */
import type { KubeObject } from "../../kube/types.ts";

export interface ConditionLike {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface Job extends KubeObject {
  spec?: { suspend?: boolean };
  status?: {
    active?: number;
    ready?: number;
    startTime?: string;
    completionTime?: string;
    conditions?: ConditionLike[];
  };
}

export interface ContainerExit {
  exitCode: number;
  reason?: string;
  message?: string;
}
interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: object;
  terminated?: ContainerExit;
}
export interface ContainerStatus {
  name: string;
  restartCount?: number;
  started?: boolean;
  state?: ContainerState;
  lastState?: ContainerState;
}
export interface Pod extends KubeObject {
  status?: {
    phase?: string;
    conditions?: ConditionLike[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

export interface Deployment extends KubeObject {
  spec?: {
    replicas?: number;
    template?: {
      spec?: {
        initContainers?: { name: string; image: string }[];
        containers?: { name: string; ports?: { name?: string; containerPort: number }[] }[];
      };
    };
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    conditions?: ConditionLike[];
  };
}

export interface Service extends KubeObject {
  spec?: { selector?: Record<string, string> };
}

/** True once a Job has the condition Complete. */
export function isComplete(job: Job): boolean {
  return hasCondition(job, "Complete");
}
/** True once a Job has the condition Failed. */
export function isFailed(job: Job): boolean {
  return hasCondition(job, "Failed");
}
export function isFinished(job: Job): boolean {
  return isComplete(job) || isFailed(job);
}
/** When a finished Job ended. */
export function finishedAt(job: Job): string | undefined {
  return (
    job.status?.completionTime ??
    job.status?.conditions?.find(({ type, status }) => type === "Failed" && status === "True")?.lastTransitionTime
  );
}

/** Tells that pods of a Deployment are refused: by a quota, or a policy. */
export function isReplicaFailure({ type, status }: ConditionLike): boolean {
  return type === "ReplicaFailure" && status === "True";
}

function hasCondition(job: Job, type: string): boolean {
  return job.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
}
