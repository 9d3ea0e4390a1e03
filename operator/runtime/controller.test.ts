import { type DestinationStream, pino } from "pino";
import { Registry } from "prom-client";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { NameTakenError } from "../kube/apply.ts";
import { ApiError, ConnectionError, NotLeaderError } from "../kube/errors.ts";
import { services } from "../kube/resources.ts";
import { type LoopInput, runController } from "./controller.ts";
import type { Echo } from "./execute.ts";
import { createMetrics } from "./metrics.ts";
import type { Outcome } from "./plan.ts";
import { WorkQueue } from "./queue.ts";

let queue: WorkQueue;
let registry: Registry;
let lines: { level: number; class?: string; object?: string; reconcile?: string }[];

beforeEach(() => {
  queue = new WorkQueue({ random: () => 1 });
  registry = new Registry();
  lines = [];
});

function start(reconcile: LoopInput["reconcile"], changes: Partial<LoopInput> = {}): Promise<void> {
  const destination: DestinationStream = { write: (line) => void lines.push(JSON.parse(line)) };
  const logger = pino({ level: "debug" }, destination);
  const metrics = createMetrics(registry);
  return runController({
    name: "model",
    queue,
    workers: 4,
    logger,
    metrics,
    reconcile,
    hasEcho: () => true,
    onLate: () => {},
    ...changes,
  });
}

const echo: Echo = { resource: services, namespace: "a", name: "wine", resourceVersion: "2", sentAt: 0 };
const settled: Outcome = { kind: "settled" };
const counted = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values ?? [];

describe("a reconcile that ends well", () => {
  test("is counted, logged with object and id, and not repeated", async () => {
    const seen: string[] = [];
    const loop = start(async (key) => {
      seen.push(key);
      return { outcome: settled, echoes: [], statusDue: false };
    });
    queue.add("a/wine");
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    queue.close();
    await loop;
    expect(seen).toEqual(["a/wine"]);
    expect(lines[0]).toMatchObject({ object: "a/wine", reconcile: expect.stringMatching(/^[a-z0-9]{6,8}$/) });
    expect(await counted("lemnis_reconcile_total")).toMatchObject([{ value: 1, labels: { result: "settled" } }]);
  });

  test("comes back when its outcome asks for it", async () => {
    const times: number[] = [];
    const loop = start(async () => {
      times.push(performance.now());
      return {
        outcome: times.length === 1 ? { kind: "waiting", requeueAfterMs: 30 } : settled,
        echoes: [],
        statusDue: false,
      };
    });
    queue.add("a/wine");
    await vi.waitFor(() => expect(times).toHaveLength(2));
    queue.close();
    await loop;
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(28);
  });
});

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
  const loop = start(async (_, statusDue) => {
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

test("an object that is gone is forgotten, and counts as no reconcile", async () => {
  const forget = vi.spyOn(queue, "forget");
  const loop = start(async () => undefined);
  queue.add("a/wine");
  await vi.waitFor(() => expect(forget).toHaveBeenCalledWith("a/wine"));
  queue.close();
  await loop;
  expect(await counted("lemnis_reconcile_total")).toEqual([]);
});

test("many objects are at work at once, one never twice", async () => {
  const working = new Set<string>();
  let most = 0;
  let twice = 0;
  let count = 0;
  const loop = start(async (key) => {
    if (working.has(key)) twice++;
    working.add(key);
    most = Math.max(most, working.size);
    queue.add(key, "change");
    await new Promise((resolve) => setImmediate(resolve));
    working.delete(key);
    count++;
    return { outcome: settled, echoes: [], statusDue: false };
  });
  for (const key of ["a", "b", "c", "d", "e", "f"]) queue.add(key);
  await vi.waitFor(() => expect(count).toBeGreaterThan(50));
  queue.close();
  await loop;
  expect([most, twice]).toEqual([4, 0]);
});

describe("a reconcile that fails", () => {
  test("and then ends well begins with the shortest pause at its next failure", async () => {
    const retry = vi.spyOn(queue, "retry");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let call = 0;
    const loop = start(async () => {
      call++;
      if (call === 3) return { outcome: settled, echoes: [], statusDue: false };
      throw new ConnectionError("get Service wine", new Error("reset"));
    });
    queue.add("a/wine");
    await vi.waitFor(() => expect(call).toBe(3), 10_000);
    queue.add("a/wine");
    await vi.waitFor(() => expect(retry).toHaveBeenCalledTimes(3), 10_000);
    queue.close();
    await loop;
    vi.useRealTimers();
    expect(retry.mock.results.map(({ value }) => value)).toEqual([200, 400, 200]);
  });

  const taken = new NameTakenError(
    services,
    { apiVersion: "v1", kind: "Service", metadata: { name: "wine" } },
    "kubectl",
  );

  test.each<[string, Error, number, number]>([
    ["transient", new ConnectionError("get Service wine", new Error("reset")), 200, 40],
    ["conflict", new ApiError("apply Service wine", 409, { reason: "Conflict" }), 200, 40],
    ["exists", new ApiError("create Service wine", 409, { reason: "AlreadyExists" }), 200, 40],
    ["notFound", new ApiError("apply Service wine", 404), 200, 40],
    ["throttled", new ApiError("apply Service wine", 429, { details: { retryAfterSeconds: 9 } }), 9_000, 40],
    ["forbidden", new ApiError("apply Service wine", 403), 60_000, 50],
    ["invalid", new ApiError("apply Service wine", 422), 60_000, 50],
    ["terminal", new Error("a bug"), 60_000, 50],
    ["taken", taken, 60_000, 50],
  ])("is %s: tried again at its own pace, counted, logged", async (kind, error, retryMs, level) => {
    const retry = vi.spyOn(queue, "retry");
    const loop = start(async () => Promise.reject(error));
    queue.add("a/wine");
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    queue.close();
    await loop;
    expect(retry.mock.results).toMatchObject([{ value: retryMs }]);
    expect(lines[0]).toMatchObject({ level, class: kind, object: "a/wine" });
    expect(await counted("lemnis_reconcile_errors_total")).toMatchObject([{ value: 1, labels: { class: kind } }]);
  });

  test("for want of the lease says nothing and tries nothing", async () => {
    const retry = vi.spyOn(queue, "retry");
    let tried = 0;
    const loop = start(async () => {
      tried++;
      throw new NotLeaderError();
    });
    queue.add("a/wine");
    await vi.waitFor(() => expect(tried).toBe(1));
    queue.close();
    await loop;
    expect(retry).not.toHaveBeenCalled();
    expect(lines).toEqual([]);
  });
});

test("the loop ends when the queue is closed and the keys at work are done", async () => {
  let ended = false;
  const loop = start(async () => {
    await new Promise((resolve) => setTimeout(resolve, 40));
    ended = true;
    return { outcome: settled, echoes: [], statusDue: false };
  });
  queue.add("a/wine");
  await new Promise((resolve) => setImmediate(resolve));
  queue.close();
  await loop;
  expect(ended).toBe(true);
});
