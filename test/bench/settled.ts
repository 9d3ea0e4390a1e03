/** What it costs to come to rest, to rest, and to begin again with many objects. */
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeObject } from "../../operator/kube/types.ts";
import { type Rig, resourceOf } from "../rig/cluster.ts";
import type { OperatorProcess } from "../rig/operator.ts";
import { inParallel } from "./watcher.ts";

interface Deployment extends KubeObject {
  spec: { replicas?: number };
}

/** Plays the nodes: every Deployment's replicas become ready. */
export async function makeReady(rig: Rig, namespace: string): Promise<void> {
  const deployments: Deployment[] = [];
  let next: string | undefined;
  do {
    const query = { limit: "500", continue: next };
    const page = await rig.client.list<Deployment>(resourceOf("Deployment"), query);
    deployments.push(...page.items.filter(({ metadata }) => metadata.namespace === namespace));
    next = page.metadata.continue || undefined;
  } while (next);
  await inParallel(deployments, 16, ({ metadata: { name, generation }, spec: { replicas = 1 } }) =>
    rig.client.apply(
      resourceOf("Deployment"),
      {
        ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace } },
        status: { observedGeneration: generation, replicas, updatedReplicas: replicas, readyReplicas: replicas },
      } as KubeObject,
      { subresource: "status", manager: "kube-controller-manager" },
    ),
  );
}

/** Waits until the operator has written nothing for so long; the requests that it has made. */
export async function untilQuiet(operator: OperatorProcess, quietMs = 3_000): Promise<Map<string, number>> {
  for (let before = -1; ; ) {
    const metrics = await operator.metrics();
    if (metrics.writes === before) return metrics.requests();
    before = metrics.writes;
    await sleep(quietMs);
  }
}

export async function measureRest(operator: OperatorProcess, seconds: number) {
  const [before, cpuBefore] = [(await operator.metrics()).requests(), operator.cpuSeconds()];
  await sleep(seconds * 1000);
  const after = (await operator.metrics()).requests();
  const count = (pattern: RegExp) =>
    [...after].reduce((sum, [key, value]) => sum + (pattern.test(key) ? value - (before.get(key) ?? 0) : 0), 0);
  return {
    seconds,
    writes: count(/^(?!get |list |watch )/),
    lists: count(/^list /),
    cpuPercent: ((operator.cpuSeconds() - cpuBefore) / seconds) * 100,
  };
}

/** A new process with all objects settled: until it has listed them, and until it has reconciled each. */
export async function measureRestart(rig: Rig, count: number) {
  const from = performance.now();
  const operator = await rig.startOperator({ waitUntilReady: false });
  let syncedMs: number | undefined;
  let loopDelayMs = 0;
  for (;;) {
    await sleep(100);
    if (!(await operator.isReady())) continue;
    syncedMs ??= performance.now() - from;
    const metrics = await operator.metrics();
    loopDelayMs = Math.max(loopDelayMs, metrics.sum("nodejs_eventloop_lag_p99_seconds") * 1000);
    if (metrics.sum("lemnis_reconcile_total", /controller="inferenceservice"/) >= count) break;
  }
  const reconciledMs = performance.now() - from;
  const { writes } = await operator.metrics();
  return { operator, syncedMs, reconciledMs, loopDelayMs, writes };
}
