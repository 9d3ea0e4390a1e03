/** Jobs of ours: the metadata and the failure policy that they share. */
import { permanentFailure } from "../../agent/tasks.ts";
import type { Child } from "../../kube/apply.ts";
import { jobs } from "../../kube/resources.ts";
import type { KubeObject } from "../../kube/types.ts";
import { labels, managedBy } from "../labels.ts";
import { type Owner, ownerReference } from "./owner.ts";

interface JobInput {
  owner: Owner;
  /** The label that names the owner's kind. */
  ownerLabel: string;
  name: string;
  annotations: Record<string, string>;
  /** Our own containers in the pod: their permanent failures end the Job at once. */
  agentContainers: readonly string[];
  backoffLimit: number;
  activeDeadlineSeconds: number;
  /** The container that `kubectl logs` shows. */
  defaultContainer: string;
  pod: Record<string, unknown>;
}

export function buildJob(input: JobInput): KubeObject {
  const jobLabels = { ...managedBy, [input.ownerLabel]: input.owner.metadata.name, [labels.workload]: input.name };
  const object = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: input.name,
      namespace: input.owner.metadata.namespace ?? "",
      labels: jobLabels,
      annotations: input.annotations,
      ownerReferences: [ownerReference(input.owner)],
    },
    spec: {
      backoffLimit: input.backoffLimit,
      activeDeadlineSeconds: input.activeDeadlineSeconds,
      podFailurePolicy: {
        rules: [
          // A node that is drained or a pod that is preempted is nobody's failure.
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          ...input.agentContainers.map((containerName) => ({
            action: "FailJob",
            onExitCodes: { containerName, operator: "In", values: [permanentFailure] },
          })),
        ],
      },
      template: {
        metadata: {
          labels: jobLabels,
          annotations: { "kubectl.kubernetes.io/default-container": input.defaultContainer },
        },
        spec: { restartPolicy: "Never", ...input.pod },
      },
    },
  };
  return object;
}

/** A Job is made once: most of its spec can't be changed, one that runs is not to be replaced, and who admits it decides over the rest. */
export const jobChild = (object: KubeObject): Child => ({ resource: jobs, object, once: true });
