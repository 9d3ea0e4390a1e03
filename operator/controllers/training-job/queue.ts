/** Runs under quota: Kueue admits a suspended Job by its label, and starts, stops and places it from then on. */
import type { KubeObject } from "../../kube/types.ts";
import type { StoreRecord } from "../../runtime/plan.ts";
import type { RunSpec } from "../../store/api.ts";
import { isFinished, type Job } from "../children/types.ts";
import type { Verdict } from "../verdict.ts";
import type { ObservedTrainingJob } from "./observe.ts";

const queueLabel = "kueue.x-k8s.io/queue-name";

/** The Job as Kueue wants it made: suspended from the first, so that nothing runs outside the quota. */
export function inQueue(job: KubeObject, queueName: string | undefined): KubeObject {
  if (!queueName) return job;
  const { metadata } = job;
  return {
    ...job,
    metadata: { ...metadata, labels: { ...metadata.labels, [queueLabel]: queueName } },
    spec: { ...(job as Job).spec, suspend: true },
  } as KubeObject;
}

/** Waits for Kueue to admit it, for the first time or again. */
export function isQueued(job: Job): boolean {
  return job.spec?.suspend === true && job.metadata.labels?.[queueLabel] !== undefined && !isFinished(job);
}

/** Waits in a queue that the manifest no longer names. */
export function isMisplaced({ trainingJob }: ObservedTrainingJob, job: Job): boolean {
  return isQueued(job) && job.metadata.labels?.[queueLabel] !== trainingJob.spec.queueName;
}

/** Why no run can be admitted. */
export function queueObstacle({ trainingJob, localQueue, present }: ObservedTrainingJob): Verdict | undefined {
  const { queueName } = trainingJob.spec;
  if (!queueName || localQueue) return undefined;
  if (!present.has("localQueues")) {
    const message =
      "spec.queueName needs Kueue, and the cluster serves no LocalQueues (kueue.x-k8s.io): install it, or leave queueName out; until then nothing runs";
    return { state: "waiting", reason: "KueueNotFound", message };
  }
  const message = `LocalQueue ${queueName} does not exist in this namespace; until it does nothing runs`;
  return { state: "waiting", reason: "QueueNotFound", message };
}

/** How a run stands that waits to be admitted. */
export function queuedVerdict(observed: ObservedTrainingJob, run: string): Verdict {
  const message = `run ${run} waits in LocalQueue ${observed.trainingJob.spec.queueName} until Kueue admits it`;
  return queueObstacle(observed) ?? { state: "waiting", reason: "Queued", message };
}

/** What a run will ask for when its turn has come, which may be days from now. */
export function awaitedInputs({ trainingJob }: ObservedTrainingJob, inputs: RunSpec["inputs"]): StoreRecord[] {
  const { namespace } = trainingJob.metadata;
  if (!trainingJob.spec.queueName) return [];
  return inputs.map(({ dataset, digest }) => ({
    ...{ method: "PUT" as const, path: `namespaces/${namespace}/datasets/${dataset}/versions/${digest}/use`, body: {} },
  }));
}
