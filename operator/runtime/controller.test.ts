import { beforeEach, describe, expect, test, vi } from "vitest";
import { type Loop, makeLoop } from "../../test/builders/loop.ts";
import { services } from "../kube/resources.ts";
import type { Echo } from "./execute.ts";
import type { Outcome } from "./plan.ts";

let queue: Loop["queue"];
let lines: Loop["lines"];
let start: Loop["start"];
let counted: Loop["counted"];
beforeEach(() => {
  ({ queue, lines, start, counted } = makeLoop());
});

const echo: Echo = { resource: services, namespace: "a", name: "wine", resourceVersion: "2", sentAt: 0 };
const settled: Outcome = { kind: "settled" };

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

  test("lets others have their turn before the next, though it waits for nothing", async () => {
    let [reconciled, turns] = [0, 0];
    const loop = start(async () => {
      reconciled++;
      return { outcome: settled, echoes: [], statusDue: false };
    });
    for (let index = 0; index < 400; index++) queue.add(`a/${index}`);
    while (reconciled < 400) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
    queue.close();
    await loop;
    expect(turns).toBeGreaterThanOrEqual(100);
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
