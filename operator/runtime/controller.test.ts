import { beforeEach, describe, expect, test, vi } from "vitest";
import { type Loop, makeLoop } from "../../test/builders/loop.ts";
import type { Outcome } from "./plan.ts";

let queue: Loop["queue"];
let lines: Loop["lines"];
let start: Loop["start"];
let counted: Loop["counted"];
beforeEach(() => {
  ({ queue, lines, start, counted } = makeLoop());
});

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
    for (; reconciled < 400; turns++) await new Promise((resolve) => setImmediate(resolve));
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

describe("a pass whose status waits", () => {
  /** Ends the passes, by their keys. */
  let ends: Map<string, () => void>;
  const waitAll = () =>
    start(
      async (key, { onWait }) => {
        const { promise: told, resolve: tell } = Promise.withResolvers<void>();
        ends.set(key, tell);
        onWait();
        await told;
        return { outcome: settled, echoes: [], statusDue: false };
      },
      { workers: 1 },
    );
  beforeEach(() => {
    ends = new Map();
    for (let index = 0; index < 9; index++) queue.add(`a/${index}`);
  });

  test("leaves its worker to others, and few such wait", async () => {
    const loop = waitAll();
    await vi.waitFor(() => expect(ends.size).toBe(5));
    // None of them runs twice, and no more begin.
    queue.add("a/0");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ends.size).toBe(5);
    // One that ends leaves its place, be it the first or the last.
    for (const [key, begun] of [
      ["a/0", 6],
      ["a/5", 7],
    ] as const) {
      ends.get(key)?.();
      await vi.waitFor(() => expect(ends.size).toBe(begun));
    }
    queue.close();
    for (const end of ends.values()) end();
    await loop;
  });

  test("is waited for when the loop ends", async () => {
    let ended = false;
    const loop = waitAll().then(() => {
      ended = true;
    });
    await vi.waitFor(() => expect(ends.size).toBe(5));
    queue.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([ended, ends.size]).toEqual([false, 5]);
    for (const end of ends.values()) end();
    await loop;
    expect(ended).toBe(true);
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
