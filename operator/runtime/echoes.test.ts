/** What a pass has written comes back before its object is looked at again. */
import { pino } from "pino";
import { Registry } from "prom-client";
import { beforeEach, expect, test, vi } from "vitest";
import { services } from "../kube/resources.ts";
import { type LoopInput, runController } from "./controller.ts";
import type { Echo } from "./execute.ts";
import { createMetrics } from "./metrics.ts";
import type { Outcome } from "./plan.ts";
import { WorkQueue } from "./queue.ts";

let queue: WorkQueue;
beforeEach(() => {
  queue = new WorkQueue({ random: () => 1 });
});

const start = (reconcile: LoopInput["reconcile"], changes: Partial<LoopInput> = {}): Promise<void> =>
  runController({
    ...{ name: "model", queue, workers: 4, logger: pino({ level: "silent" }), metrics: createMetrics(new Registry()) },
    ...{ reconcile, hasEcho: () => true, onLate: () => {}, ...changes },
  });

const echo: Echo = { resource: services, namespace: "a", name: "wine", resourceVersion: "2", sentAt: 0 };
const settled: Outcome = { kind: "settled" };

test("an object is not reconciled again before its own write has come back", async () => {
  const order: string[] = [];
  let arrived = false;
  const loop = start(
    async () => {
      order.push(arrived ? "after the echo" : "before the echo");
      return { outcome: settled, echoes: order.length === 1 ? [echo] : [], statusDue: false };
    },
    { hasEcho: () => arrived },
  );
  queue.add("a/wine");
  await vi.waitFor(() => expect(order).toHaveLength(1));
  queue.add("a/wine");
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(order).toHaveLength(1);
  arrived = true;
  // What has come is told to the queue, as by a watch.
  queue.add("a/wine", "change");
  await vi.waitFor(() => expect(order).toHaveLength(2));
  queue.close();
  await loop;
  expect(order).toEqual(["before the echo", "after the echo"]);
});

test("while a write does not come back nothing is planned, and its watch is told to begin anew every five seconds", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
  const late: Echo[] = [];
  let [passes, arrived] = [0, false];
  const loop = start(async () => ({ outcome: settled, echoes: ++passes === 1 ? [echo] : [], statusDue: false }), {
    hasEcho: () => arrived,
    onLate: (which) => late.push(which),
  });
  queue.add("a/wine");
  await vi.advanceTimersByTimeAsync(4_000);
  queue.add("a/wine");
  await vi.advanceTimersByTimeAsync(500);
  expect([passes, late.length]).toEqual([1, 0]);
  await vi.advanceTimersByTimeAsync(6_500);
  expect([passes, late]).toEqual([1, [echo, echo]]);
  arrived = true;
  await vi.advanceTimersByTimeAsync(6_000);
  queue.close();
  await loop;
  vi.useRealTimers();
  expect([passes, late.length]).toEqual([2, 2]);
});

test("the pass after one that left the status out is told so", async () => {
  const told: boolean[] = [];
  const loop = start(async (_, { statusDue }) => {
    told.push(statusDue);
    return { outcome: settled, echoes: told.length === 1 ? [echo] : [], statusDue: told.length === 1 };
  });
  for (const count of [1, 2, 3]) {
    queue.add("a/wine");
    await vi.waitFor(() => expect(told).toHaveLength(count));
  }
  queue.close();
  await loop;
  expect(told).toEqual([false, true, false]);
});
