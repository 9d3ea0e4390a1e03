import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WorkQueue } from "./queue.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const make = (waits: number[] = []) =>
  new WorkQueue({ now: () => Date.now(), random: () => 1, onTaken: (ms) => waits.push(ms) });

describe("a queue", () => {
  test("gives a key once, however often it is added", async () => {
    const queue = make();
    for (const key of ["a", "b", "a", "a"]) queue.add(key);
    expect(queue.depth).toBe(2);
    expect([await queue.take(), await queue.take()]).toEqual(["a", "b"]);
    expect(queue.depth).toBe(0);
  });

  test("gives a key that was added while at work again, once it is done", async () => {
    const queue = make();
    queue.add("a");
    await queue.take();
    queue.add("a");
    const next = queue.take();
    const first = await Promise.race([next, Promise.resolve("nothing yet")]);
    expect(first).toBe("nothing yet");
    queue.done("a");
    expect(await next).toBe("a");
  });

  test("gives edits before changes, and an edit lifts a key that waits for a change", async () => {
    const queue = make();
    for (const key of ["listed-1", "listed-2", "listed-3"]) queue.add(key, "change");
    queue.add("edited");
    queue.add("listed-3");
    const taken = [];
    for (let index = 0; index < 4; index++) taken.push(await queue.take());
    expect(taken).toEqual(["edited", "listed-3", "listed-1", "listed-2"]);
  });

  test("tells how long a key has waited, also one that was lifted", async () => {
    const waits: number[] = [];
    const queue = make(waits);
    queue.add("a", "change");
    vi.advanceTimersByTime(700);
    queue.add("a");
    await queue.take();
    expect(waits).toEqual([700]);
  });

  test("gives one key in eight to changes though edits wait, so that those are not held up for ever", async () => {
    const queue = make();
    for (let index = 0; index < 20; index++) queue.add(`edit-${index}`);
    for (const key of ["change-1", "change-2"]) queue.add(key, "change");
    const taken = [];
    for (let index = 0; index < 22; index++) taken.push((await queue.take())?.split("-")[0]);
    expect(taken.flatMap((what, index) => (what === "change" ? [index] : []))).toEqual([7, 15]);
  });

  test("gives namespaces by turns: one that is full holds no other up", async () => {
    const queue = make();
    for (const key of ["busy/1", "busy/2", "busy/3", "quiet/1", "other/1"]) queue.add(key);
    const taken = [];
    for (let index = 0; index < 5; index++) taken.push(await queue.take());
    expect(taken).toEqual(["busy/1", "quiet/1", "other/1", "busy/2", "busy/3"]);
  });

  test("adds a key after a time, at the earliest of several wishes", async () => {
    const queue = make();
    queue.addAfter("a", 1000);
    queue.addAfter("a", 200);
    queue.addAfter("a", 500);
    vi.advanceTimersByTime(199);
    expect(queue.depth).toBe(0);
    vi.advanceTimersByTime(1);
    expect(queue.depth).toBe(1);
    await queue.take();
    queue.done("a");
    vi.advanceTimersByTime(5000);
    expect(queue.depth).toBe(0);
  });

  test("waits longer with each failure in a row, up to five minutes, and at least as long as it is told", () => {
    const queue = make();
    const waits = Array.from({ length: 14 }, () => {
      const ms = queue.retry("a");
      vi.advanceTimersByTime(ms);
      return ms;
    });
    expect(waits.slice(0, 4)).toEqual([200, 400, 800, 1600]);
    expect(waits.at(-1)).toBe(300_000);
    queue.forget("a");
    expect(queue.retry("a")).toBe(200);
    expect(queue.retry("b", 7_000)).toBe(7_000);
  });

  test("counts failures of one moment once: what changes meanwhile brings the key back, and tries no later failure", () => {
    const queue = make();
    expect(queue.retry("a")).toBe(200);
    vi.advanceTimersByTime(50);
    expect([queue.retry("a"), queue.retry("a", 1_000)]).toEqual([150, 150]);
    vi.advanceTimersByTime(150);
    expect(queue.depth).toBe(1);
    expect(queue.retry("a")).toBe(400);
  });

  test("gives keys in the order in which their times come, whatever the order of the wishes", async () => {
    const queue = make();
    for (const [key, ms] of [
      ["late", 300],
      ["soon", 100],
      ["between", 200],
    ] as const)
      queue.addAfter(key, ms);
    vi.advanceTimersByTime(300);
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual(["soon", "between", "late"]);
  });

  test("does not take a time that a timer can't hold for none", () => {
    const queue = make();
    queue.addAfter("a", 40 * 24 * 3_600_000);
    vi.advanceTimersByTime(24 * 24 * 3_600_000);
    expect(queue.depth).toBe(0);
    vi.advanceTimersByTime(24 * 3_600_000);
    expect(queue.depth).toBe(1);
  });

  test("gives a key back at the highest priority that it was added with while at work", async () => {
    const queue = make();
    queue.add("a");
    await queue.take();
    for (const priority of ["change", "edit", "change"] as const) queue.add("a", priority);
    queue.add("listed", "change");
    queue.done("a");
    expect([await queue.take(), await queue.take()]).toEqual(["a", "listed"]);
  });

  test("that is closed takes back nothing from those at work", async () => {
    const queue = make();
    queue.add("a");
    await queue.take();
    queue.add("a");
    queue.close();
    queue.done("a");
    queue.retry("a");
    vi.advanceTimersByTime(300_000);
    expect([queue.depth, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test("spreads retries over half of their time", () => {
    const waits = [0, 0.5, 1].map((random) => new WorkQueue({ random: () => random }).retry("a"));
    expect(waits).toEqual([100, 150, 200]);
  });

  test("that is closed gives nothing more, to those who wait and those who come", async () => {
    const queue = make();
    const early = queue.take();
    queue.addAfter("a", 10);
    queue.close();
    queue.add("b");
    vi.advanceTimersByTime(100);
    expect([await early, await queue.take()]).toEqual([undefined, undefined]);
    expect(queue.depth).toBe(0);
  });
});

type Step = { do: "add" | "change" | "done" | "retry" | "pass"; key: string; ms: number };

test("whatever is done to it, no key is at work twice at once and none that was added is lost", async () => {
  const step = fc.record<Step>({
    do: fc.constantFrom("add", "change", "done", "retry", "pass"),
    key: fc.constantFrom("a", "b", "c"),
    ms: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const queue = make();
      const working = new Set<string>();
      /** Keys that must be given at least once more. */
      const owed = new Set<string>();
      const serve = async (): Promise<void> => {
        for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
          expect(working.has(key)).toBe(false);
          working.add(key);
          owed.delete(key);
        }
      };
      const serving = serve();
      const end = (key: string) => {
        if (working.delete(key)) queue.done(key);
      };
      for (const { do: what, key, ms } of steps) {
        if (what === "add" || what === "change") {
          owed.add(key);
          queue.add(key, what === "add" ? "edit" : "change");
        }
        if (what === "done") end(key);
        if (what === "retry") {
          owed.add(key);
          queue.retry(key, ms);
        }
        if (what === "pass") vi.advanceTimersByTime(ms);
        await Promise.resolve();
      }
      for (let round = 0; round < 3; round++) {
        vi.advanceTimersByTime(300_000);
        await Promise.resolve();
        for (const key of [...working]) end(key);
        await Promise.resolve();
      }
      expect([...owed]).toEqual([]);
      queue.close();
      await serving;
    }),
  );
});
