import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StatusTurns, type Turn } from "./status-turns.ts";

let turns: StatusTurns;
/** What has begun and ended, in order. */
let log: string[];
/** Ends a status that is being written. */
let ends: Map<string, () => void>;

beforeEach(() => {
  vi.useFakeTimers();
  turns = new StatusTurns({ atOnce: 2, patienceMs: 1_000 });
  log = [];
  ends = new Map();
});
afterEach(() => vi.useRealTimers());

const settle = () => vi.advanceTimersByTimeAsync(0);

/** A status that takes until it is ended. */
function write(name: string, turn: Turn = turns.begin()): Promise<void> {
  return turn.status(async () => {
    log.push(name);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    log.push(`${name} ended`);
  });
}
async function end(name: string): Promise<void> {
  ends.get(name)?.();
  await settle();
}

test("so many are written at a time, the others in the order in which they came", async () => {
  const all = ["a", "b", "c", "d"].map((name) => write(name));
  await settle();
  expect(log).toEqual(["a", "b"]);
  await end("b");
  await end("a");
  expect(log).toEqual(["a", "b", "b ended", "c", "a ended", "d"]);
  await end("c");
  await end("d");
  await Promise.all(all);
});

test("one that fails makes room", async () => {
  const failing = turns.begin().status(async () => {
    throw new Error("refused");
  });
  await expect(failing).rejects.toThrow("refused");
  const both = [write("a"), write("b")];
  await settle();
  expect(log).toEqual(["a", "b"]);
  await end("a");
  await end("b");
  await Promise.all(both);
});

test("none is written while a pass may write children; whoever waits is told so", async () => {
  const [children, more] = [turns.begin(), turns.begin()];
  let waits = 0;
  const status = write(
    "a",
    turns.begin(() => waits++),
  );
  await settle();
  expect([log, waits]).toEqual([[], 1]);
  children.end();
  await settle();
  expect(log).toEqual([]);
  more.end();
  more.end();
  await settle();
  expect(log).toEqual(["a"]);
  // A pass that ends twice is no other pass.
  const next = turns.begin();
  const late = write("b");
  await settle();
  expect(log).toEqual(["a"]);
  next.end();
  await settle();
  await end("a");
  await end("b");
  await Promise.all([status, late]);
});

test("one that waits for nothing is not told to wait", async () => {
  let waits = 0;
  const status = write(
    "a",
    turns.begin(() => waits++),
  );
  await settle();
  await end("a");
  await status;
  expect(waits).toBe(0);
});

test("those that have waited long are written one by one, though children are", async () => {
  const children = turns.begin();
  const all = [write("a"), write("b")];
  await vi.advanceTimersByTimeAsync(500);
  const young = write("c");
  await vi.advanceTimersByTimeAsync(499);
  expect(log).toEqual([]);
  await vi.advanceTimersByTimeAsync(2);
  expect(log).toEqual(["a"]);
  await end("a");
  await end("b");
  expect(log).toEqual(["a", "a ended", "b", "b ended"]);
  await vi.advanceTimersByTimeAsync(498);
  expect(log).toHaveLength(4);
  await vi.advanceTimersByTimeAsync(2);
  expect(log.at(-1)).toBe("c");
  await end("c");
  children.end();
  await Promise.all([...all, young]);
});

test("nobody waits once they are open", async () => {
  turns.begin();
  const all = ["a", "b", "c"].map((name) => write(name));
  await settle();
  expect(log).toEqual([]);
  turns.open();
  all.push(write("d"));
  await settle();
  expect(log).toEqual(["a", "b", "c", "d"]);
  for (const name of [...log]) await end(name);
  await Promise.all(all);
});
