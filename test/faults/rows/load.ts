/** Many objects at once, while the operator is killed again and again. */
import { setTimeout as sleep } from "node:timers/promises";
import { apiVersion } from "../../../operator/api/v1alpha1/common.ts";
import type { KubeObject } from "../../../operator/kube/types.ts";
import { resourceOf } from "../../rig/cluster.ts";
import { atRest, type Run, type Scene } from "../campaign.ts";
import type { Crew } from "../crew.ts";
import type { Seen } from "../history.ts";
import { isReady, jobsEnded, specs, tearDown } from "../story.ts";
import { insist, patienceMs } from "../user.ts";

const writesBetween = 20;

interface Load {
  /** TrainingJobs, and as many InferenceServices. */
  count: number;
  everySeconds: number;
}

export function underLoad({ count, everySeconds }: Load): Run {
  return {
    name: `every ${everySeconds} s under ${2 * count} objects`,
    play: async (scene) => {
      const { user, crew } = scene;
      await user.apply("Dataset", specs.dataset);
      await user.apply("Model", { task: "Classification", format: { name: "sklearn" } });
      const from = performance.now();
      await Promise.all(Array.from({ length: count }, (_, index) => make(scene, index)));
      const killing = setInterval(killIfAtWork(crew), everySeconds * 1000);
      try {
        const took = await allReady(scene, { count, from });
        const p99 = took[Math.ceil(took.length * 0.99) - 1] ?? 0;
        scene.note(`Ready after ${(p99 / 1000).toFixed(0)} s (p99), ${crew.restarts} restarts`);
      } finally {
        clearInterval(killing);
      }
      // Each run has made a version; they are judged one after the other.
      const isJudged = ({ stage }: Seen) => stage !== "Candidate";
      await user.until(
        "Model",
        (model) => model.status.versions?.[0]?.version === count && model.status.versions.every(isJudged),
      );
      await user.until("Model", isReady);
      await jobsEnded(user);
      const found = await atRest(scene);
      await tearDown(user);
      return found;
    },
  };
}

/** A process that was killed before it could do anything would never come to an end, however little is wrong with it. */
function killIfAtWork(crew: Crew): () => void {
  let before = 0;
  return () => {
    const { length } = crew.changes();
    if (length < before + writesBetween) return;
    before = length;
    void crew.kill();
  };
}

async function make({ user, rig }: Scene, index: number): Promise<void> {
  const apply = (kind: string, name: string, spec: object) => {
    const object = { apiVersion, kind, metadata: { name, namespace: user.namespace }, spec } as KubeObject;
    return insist(() => rig.client.apply(resourceOf(kind), object, { manager: "kubectl" }));
  };
  await apply("TrainingJob", `train-${index}`, { ...specs.trainingJob, parameters: { index } });
  const storage = { storageUri: `http://host/model-${index}`, runtimeRef: { name: "mlserver" } };
  await apply("InferenceService", `serve-${index}`, storage);
}

/** How long each took, in milliseconds, the longest last. */
async function allReady({ user }: Scene, { count, from }: { count: number; from: number }): Promise<number[]> {
  const took = new Map<string, number>();
  const deadline = performance.now() + patienceMs + count * 2_000;
  while (took.size < 2 * count) {
    const objects = [...(await user.list("TrainingJob")), ...(await user.list("InferenceService"))];
    for (const object of objects) {
      const { uid = "" } = object.metadata;
      if (!took.has(uid) && isReady(object)) took.set(uid, performance.now() - from);
    }
    const late = objects.find((object) => !isReady(object));
    if (late && performance.now() > deadline)
      throw new Error(`L1: ${late.kind} ${late.metadata.name} stays ${JSON.stringify(late.status)}`);
    await sleep(200);
  }
  return [...took.values()].sort((a, b) => a - b);
}
