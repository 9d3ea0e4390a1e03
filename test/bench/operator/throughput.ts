/** Children written a second: by an operator that has just started, by one that runs, and by bare writes. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { tail } from "../../cluster/command.ts";
import { type Rig, resourceOf, startRig } from "../../rig/cluster.ts";
import type { OperatorProcess } from "../../rig/operator.ts";
import { cpuSecondsOf } from "../../rig/process.ts";
import { untilQuiet } from "./settled.ts";
import { BirthWatch, inParallel } from "./watcher.ts";
import { model, type Work } from "./work.ts";

const patienceMs = 20 * 60_000;
export const namespace = "bench";
/** Of what is made while an operator runs that has met objects before. */
const later = "later";

/** How fast children came, and what each cost. */
export interface Rate {
  perSecond: number;
  /** CPU time of whoever wrote, with the store, in milliseconds. */
  writerMs: number;
  /** CPU time of kube-apiserver and etcd, in milliseconds. */
  serverMs: number;
}

/** A server that has the objects, and none of their children. */
export async function startBacklog(work: Work, count: number): Promise<Rig> {
  const rig = await startRig();
  await makeNamespace(rig, namespace);
  await makeObjects(rig, work, namespace, count);
  return rig;
}

async function makeNamespace(rig: Rig, name: string): Promise<void> {
  await rig.makeNamespace(name);
  const ofModel = { ...model, metadata: { ...model.metadata, namespace: name } };
  await rig.client.apply(resourceOf("Model"), ofModel, { manager: "kubectl" });
}

async function makeObjects(rig: Rig, work: Work, into: string, count: number): Promise<void> {
  const indexes = Array.from({ length: count }, (_, index) => index);
  await inParallel(indexes, 16, (index) =>
    rig.client.apply(resourceOf(work.kind), work.objectOf(into, index), { manager: "kubectl" }),
  );
}

/** Starts the operator on objects that are there already; the time counts from the first child to the last. */
export async function measureOperator(rig: Rig, work: Work, count: number) {
  const watch = new BirthWatch(rig.client, work.childKinds, namespace);
  await watch.synced;
  const operator: OperatorProcess = await rig.startOperator();
  const writers = () => operator.cpuSeconds() + cpuSecondsOf(rig.store.pid());
  const [writerBefore, serverBefore] = [writers(), serverSeconds(rig)];
  // It ends when the API server is so slow that the Lease can't be kept.
  await watch.until(count * work.childKinds.length, patienceMs, () => {
    if (operator.hasExited) throw new Error(`the operator has ended; its log ends:\n${tail(operator.log(), 5)}`);
  });
  const children = count * work.childKinds.length;
  const writerMs = ((writers() - writerBefore) / children) * 1000;
  const serverMs = ((serverSeconds(rig) - serverBefore) / children) * 1000;
  await watch.stop();
  return { operator, rate: { perSecond: watch.rate, writerMs, serverMs } satisfies Rate };
}

/** Children a second of an operator that has met others before. It stands still while the objects are made: both do nothing but write children. */
export async function measureRunning(rig: Rig, work: Work, count: number, operator: OperatorProcess): Promise<number> {
  await makeNamespace(rig, later);
  await untilQuiet(operator);
  const watch = new BirthWatch(rig.client, work.childKinds, later);
  await watch.synced;
  operator.signal("SIGSTOP");
  await makeObjects(rig, work, later, count).finally(() => operator.signal("SIGCONT"));
  await watch.until(count * work.childKinds.length, patienceMs);
  await watch.stop();
  return watch.rate;
}

/** The same by bare writes that have made so many others before. */
export async function measureBareRunning(
  rig: Rig,
  work: Work,
  count: number,
  { concurrency, met }: { concurrency: number; met: number },
): Promise<number> {
  await makeNamespace(rig, later);
  const first = { namespace, count: met };
  return (await measureBare(rig, work, count, { concurrency, namespace: later, first })).perSecond;
}

/** The same children by a program that does nothing else. */
export async function measureBare(rig: Rig, work: Work, count: number, options: BareOptions): Promise<Rate> {
  const watch = new BirthWatch(rig.client, work.childKinds, options.namespace ?? namespace);
  await watch.synced;
  const serverBefore = serverSeconds(rig);
  const program = join(import.meta.dirname, "bare.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[program, rig.plane.kubeconfig, work.kind, options.namespace ?? namespace],
    ...[String(count), String(options.concurrency)],
    ...(options.first ? [options.first.namespace, String(options.first.count)] : []),
  ]);
  const { cpuSeconds } = JSON.parse(stdout) as { cpuSeconds: number };
  const children = count * work.childKinds.length;
  await watch.until(children, patienceMs);
  await watch.stop();
  const serverMs = ((serverSeconds(rig) - serverBefore) / children) * 1000;
  return { perSecond: watch.rate, writerMs: (cpuSeconds / children) * 1000, serverMs };
}

interface BareOptions {
  concurrency: number;
  namespace?: string;
  /** What it writes before. */
  first?: { namespace: string; count: number };
}

/** The concurrency at which bare writes are fastest on this machine. */
export async function bestConcurrency(work: Work): Promise<number> {
  const rig = await startRig();
  try {
    let best = { concurrency: 0, perSecond: 0 };
    // The first is to warm the server up.
    for (const concurrency of [16, 8, 16, 32, 64]) {
      const ofTry = `tune-${best.concurrency}-${concurrency}`;
      await rig.makeNamespace(ofTry);
      const { perSecond } = await measureBare(rig, work, 400, { concurrency, namespace: ofTry });
      if (perSecond > best.perSecond || best.concurrency === 0) best = { concurrency, perSecond };
    }
    return best.concurrency;
  } finally {
    await rig.stop();
  }
}

function serverSeconds({ plane }: Rig): number {
  return Object.values(plane.pids()).reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
}
