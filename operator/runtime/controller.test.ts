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

test("a pass whose status waits leaves its worker to others, a few of each; the loop ends with them", async () => {
  const { promise: told, resolve: tell } = Promise.withResolvers<void>();
  const begun: string[] = [];
  const loop = start(
    async (key, { onWait }) => {
      begun.push(key);
      onWait();
      await told;
      return { outcome: settled, echoes: [], statusDue: false };
    },
    { workers: 2 },
  );
  for (let index = 0; index < 20; index++) queue.add(`a/${index}`);
  await vi.waitFor(() => expect(begun).toHaveLength(10));
  // Nor does one of them run twice.
  queue.add("a/0");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(begun).toHaveLength(10);
  let ended = false;
  void loop.then(() => {
    ended = true;
  });
  queue.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([ended, begun.length]).toEqual([false, 10]);
  tell();
  await loop;
  expect(new Set(begun).size).toBe(begun.length);
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
