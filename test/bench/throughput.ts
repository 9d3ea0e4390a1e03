/** Children written a second: by the operator from a backlog, and by bare writes before and after it on the same API server. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Rig, resourceOf } from "../rig/cluster.ts";
import type { OperatorProcess } from "../rig/operator.ts";
import { BirthWatch, inParallel } from "./watcher.ts";
import { model, type Work } from "./work.ts";

const patienceMs = 20 * 60_000;

export async function createObjects(rig: Rig, work: Work, { namespace, count }: Backlog): Promise<void> {
  await rig.makeNamespace(namespace);
  const ofModel = { ...model, metadata: { ...model.metadata, namespace } };
  await rig.client.apply(resourceOf("Model"), ofModel, { manager: "kubectl" });
  const indexes = Array.from({ length: count }, (_, index) => index);
  await inParallel(indexes, 16, (index) =>
    rig.client.apply(resourceOf(work.kind), work.objectOf(namespace, index), { manager: "kubectl" }),
  );
}

interface Backlog {
  namespace: string;
  count: number;
}

/** Starts the operator on objects that are there already; the time counts from the first child to the last. */
export async function measureOperator(rig: Rig, work: Work, backlog: Backlog) {
  await createObjects(rig, work, backlog);
  const watch = new BirthWatch(rig.client, work.childKinds, backlog.namespace);
  await watch.synced;
  const operator: OperatorProcess = await rig.startOperator();
  await watch.until(backlog.count * work.childKinds.length, patienceMs);
  await watch.stop();
  return { operator, rate: watch.rate };
}

export async function measureBare(
  rig: Rig,
  work: Work,
  { namespace, count, concurrency }: Backlog & { concurrency: number },
) {
  await rig.makeNamespace(namespace);
  const watch = new BirthWatch(rig.client, work.childKinds, namespace);
  await watch.synced;
  const program = join(import.meta.dirname, "bare.ts");
  const args = [program, rig.plane.kubeconfig, work.kind, namespace, String(count), String(concurrency)];
  await promisify(execFile)(process.execPath, args);
  await watch.until(count * work.childKinds.length, patienceMs);
  await watch.stop();
  return watch.rate;
}

/** The concurrency at which bare writes are fastest on this machine. */
export async function bestConcurrency(rig: Rig, work: Work): Promise<number> {
  let best = { concurrency: 0, rate: 0 };
  for (const concurrency of [4, 8, 16, 32]) {
    const namespace = `tune-${work.kind.toLowerCase()}-${concurrency}`;
    const rate = await measureBare(rig, work, { namespace, count: 200, concurrency });
    if (rate > best.rate) best = { concurrency, rate };
  }
  return best.concurrency;
}
