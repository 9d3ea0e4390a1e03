/** Why a pod does not run, or why a Job failed, in words for the user. */
import { permanentFailure, taskFailure } from "../../agent/tasks.ts";
import { clip } from "../verdict.ts";
import {
  type ContainerExit,
  type ContainerStatus,
  type Deployment,
  finishedAt,
  isFailed,
  isReplicaFailure,
  type Job,
  type Pod,
} from "./types.ts";

/** What the kubelet, a container or the scheduler says may be long. */
const brief = (text: string) => clip(text, 900);

export interface Trouble {
  reason: string;
  message: string;
  /** True when the same thing may work later: the network, the store, a node. */
  retryable: boolean;
  /** The container that ended. */
  container?: string;
}

const startReasons: Record<string, string> = {
  ErrImagePull: "ImagePullFailed",
  ImagePullBackOff: "ImagePullFailed",
  InvalidImageName: "ImagePullFailed",
  ErrImageNeverPull: "ImagePullFailed",
  CreateContainerConfigError: "ContainerConfigInvalid",
  CreateContainerError: "ContainerConfigInvalid",
  RunContainerError: "ContainerConfigInvalid",
};

/** What keeps pods from starting: an image that can't be pulled, a missing Secret, no node with room. */
export function startTrouble(pods: readonly Pod[]): Trouble | undefined {
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp) continue;
    for (const status of statuses(pod)) {
      const waiting = status.state?.waiting;
      const reason = startReasons[waiting?.reason ?? ""];
      if (reason) {
        const detail = waiting?.message ?? waiting?.reason ?? "";
        return { reason, message: brief(`container ${status.name} can't start: ${detail}`), retryable: true };
      }
    }
    const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
      return { reason: "Unschedulable", message: brief(scheduled.message ?? "no node fits the pod"), retryable: true };
    }
  }
  return undefined;
}

/** Why a Deployment has no pods to look at. */
export function refusalTrouble(deployment: Deployment | undefined): Trouble | undefined {
  const refusal = deployment?.status?.conditions?.find(isReplicaFailure);
  return refusal && { reason: "ReplicasRefused", message: brief(refusal.message ?? ""), retryable: true };
}

/** A container that starts and ends again and again, after `restarts` tries: a server that ends well has failed all the same. */
export function crashTrouble(pods: readonly Pod[], restarts: number): Trouble | undefined {
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp) continue;
    for (const status of statuses(pod)) {
      const isDone = status.state?.terminated?.exitCode === 0;
      if (isDone || status.started || (status.restartCount ?? 0) < restarts) continue;
      const exit = exitOf(status);
      if (exit) return exitTrouble(exit, status, pod);
    }
  }
  return undefined;
}

/** Why a failed Job failed, read from its newest failed pod and the Job's own condition. */
export function jobFailure(job: Job, pods: readonly Pod[]): Trouble | undefined {
  if (!isFailed(job)) return undefined;
  const condition = job.status?.conditions?.find(({ type }) => type === "Failed");
  if (condition?.reason === "DeadlineExceeded") {
    const start = startTrouble(pods);
    const why = start ? `: ${start.message}` : "";
    return {
      reason: start?.reason ?? "DeadlineExceeded",
      message: brief(`did not end in time${why}`),
      // A cluster that had no room may have some later.
      retryable: true,
    };
  }
  const newestFirst = [...pods].sort((a, b) => created(b).localeCompare(created(a)));
  for (const pod of newestFirst) {
    const failed = statuses(pod).flatMap((status) => {
      const exit = exitOf(status);
      return exit && exit.exitCode !== 0 ? [{ exit, status }] : [];
    });
    // A container of ours says what went wrong; a sidecar that was ended with it says nothing.
    const cause = failed.find(({ exit }) => parseFailure(exit.message)) ?? failed[0];
    if (cause) return exitTrouble(cause.exit, cause.status, pod);
  }
  const message = `${condition?.reason ?? "Failed"}: ${condition?.message ?? "the Job failed and its pods are gone"}`;
  return { reason: "JobFailed", message: brief(message), retryable: true };
}

/** A failure that may mend itself (the network, the store) is tried again after this long. */
const retryAfterMs = 10 * 60_000;

/** What to do when a container has run out of memory, by its name. Lemnis's others have a limit that nobody can raise. */
const memoryAdvice: Record<string, string> = {
  train: "raise spec.resources.limits.memory, or use less",
  runtime: "raise spec.resources.limits.memory, of a Model spec.evaluation.resources.limits.memory",
  snapshot: "raise spec.resources.limits.memory",
  derive: "raise spec.resources.limits.memory",
  features: "raise spec.online.resources.limits.memory",
};
const otherAdvice = "what it reads must be smaller: fewer files, or fewer rows in the split";

/** When to make a failed Job of ours again; undefined when the same thing would fail again. */
export function retryAt(job: Job, pods: readonly Pod[]): Date | undefined {
  if (!jobFailure(job, pods)?.retryable) return undefined;
  return new Date(new Date(finishedAt(job) ?? 0).getTime() + retryAfterMs);
}

function exitOf({ state, lastState }: ContainerStatus): ContainerExit | undefined {
  return state?.terminated ?? lastState?.terminated;
}

function exitTrouble(exit: ContainerExit, status: ContainerStatus, pod: Pod): Trouble {
  const container = status.name;
  const told = parseFailure(exit.message);
  if (told) return { ...told, retryable: exit.exitCode !== permanentFailure, container };
  if (exit.reason === "OOMKilled") {
    const message = `container ${container} ran out of memory: ${memoryAdvice[container] ?? otherAdvice}`;
    return { reason: "OutOfMemory", message, retryable: false, container };
  }
  const where = `kubectl -n ${pod.metadata.namespace} logs ${pod.metadata.name} -c ${container}`;
  const message = `container ${container} exited with code ${exit.exitCode}; its output: ${where}`;
  return { reason: "ContainerFailed", message, retryable: false, container };
}

/** The JSON that our own containers leave as termination message. */
function parseFailure(message: string | undefined): { reason: string; message: string } | undefined {
  if (!message?.startsWith("{")) return undefined;
  try {
    const parsed = taskFailure.safeParse(JSON.parse(message));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function statuses(pod: Pod): ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

function created(pod: Pod): string {
  return pod.metadata.creationTimestamp ?? "";
}
