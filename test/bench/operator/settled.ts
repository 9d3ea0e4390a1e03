/** What it costs to come to rest, to rest, and to begin again with many objects. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeObject } from "../../../operator/kube/types.ts";
import { waitUntil } from "../../cluster/progress.ts";
import { type Rig, resourceOf } from "../../rig/cluster.ts";
import type { OperatorProcess } from "../../rig/operator.ts";
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

export interface Restart {
  operator: OperatorProcess;
  syncedMs: number;
  reconciledMs: number;
  writes: number;
  /** How late the event loop was, from the process's start until each was reconciled. */
  loop: { p50: number; p99: number; max: number };
}

/**
 * A new process with all objects settled: until it has listed them, and until it has reconciled each. Its queue gives
 * keys out in turn, so that the first so many reconciles are of so many objects.
 */
export async function measureRestart(rig: Rig, controller: string, count: number): Promise<Restart> {
  const probeFile = join(rig.plane.dir, "loop-probe.json");
  rmSync(probeFile, { force: true });
  const from = performance.now();
  const operator = await rig.startOperator({
    waitUntilReady: false,
    nodeArgs: ["--import", join(import.meta.dirname, "loop-probe.mjs")],
    env: { LOOP_PROBE_FILE: probeFile },
  });
  await waitUntil(() => operator.isReady(), { timeoutMs: 120_000, failure: () => new Error("not ready in 2 minutes") });
  const syncedMs = performance.now() - from;
  let metrics = await operator.metrics();
  const mine = new RegExp(`controller="${controller}"`);
  while (metrics.sum("lemnis_reconcile_total", mine) < count) {
    await sleep(50);
    metrics = await operator.metrics();
  }
  const reconciledMs = performance.now() - from;
  operator.signal("SIGUSR2");
  await waitUntil(async () => existsSync(probeFile), {
    timeoutMs: 10_000,
    failure: () => new Error("no probe's file"),
  });
  const loop = JSON.parse(readFileSync(probeFile, "utf8")) as Restart["loop"];
  return { operator, syncedMs, reconciledMs, loop, writes: (await operator.metrics()).writes };
}
