import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RefreshGate } from "./refresh-gate.ts";

let made: string[];
let failure: Error | undefined;
let gate: RefreshGate;
beforeEach(() => {
  vi.useFakeTimers();
  made = [];
  failure = undefined;
  gate = new RefreshGate(async (key) => {
    made.push(key);
    if (failure) throw failure;
  });
});
afterEach(() => {
  gate.close();
  vi.useRealTimers();
});

test("the first is made at once, those of the next ten seconds become one when they are over", async () => {
  await gate.ask("a/x");
  for (let count = 0; count < 5; count++) await gate.ask("a/x");
  await gate.ask("a/y");
  expect(made).toEqual(["a/x", "a/y"]);
  await vi.advanceTimersByTimeAsync(9_999);
  expect(made).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(made).toEqual(["a/x", "a/y", "a/x"]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(made).toHaveLength(3);
  await gate.ask("a/x");
  expect(made).toHaveLength(4);
});

test("one that fails is told, and may be asked for again at once; one that nobody waits for is tried again", async () => {
  failure = new Error("away");
  await expect(gate.ask("a/x")).rejects.toThrow("away");
  failure = undefined;
  await gate.ask("a/x");
  await gate.ask("a/x");
  failure = new Error("away");
  await vi.advanceTimersByTimeAsync(10_000);
  failure = undefined;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(made).toHaveLength(4);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(made).toHaveLength(4);
});
