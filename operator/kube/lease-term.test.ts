import { expect, test } from "vitest";
import { Term } from "./lease-term.ts";

function terms() {
  const clock = { ms: 1_000, monotonicMs: () => clock.ms };
  const ours = new Term(clock);
  // What the other thread has.
  return { clock, ours, theirs: new Term(clock, ours.memory) };
}

test("a term begins with the first renewal, for both threads", () => {
  const { ours, theirs } = terms();
  expect([ours.isOn(), theirs.isOn()]).toEqual([false, false]);
  expect(theirs.renew(1_000)).toBe(true);
  expect([ours.isOn(), theirs.isOn()]).toEqual([true, true]);
});

test("it lasts ten seconds from when the last renewal was sent", () => {
  const { clock, ours, theirs } = terms();
  theirs.renew(1_000);
  clock.ms = 9_000;
  expect(theirs.renew(8_000)).toBe(true);
  clock.ms = 17_999;
  expect(ours.isOn()).toBe(true);
  clock.ms = 18_000;
  expect(ours.isOn()).toBe(false);
});

test("once one thread has found it over, no renewal of the other brings it back", () => {
  const { clock, ours, theirs } = terms();
  theirs.renew(1_000);
  clock.ms = 11_000;
  expect(ours.isOn()).toBe(false);
  expect(theirs.renew(10_999)).toBe(false);
  expect([ours.isOn(), theirs.isOn()]).toEqual([false, false]);
});

test("an answer that comes after its time does not begin it", () => {
  const { clock, ours, theirs } = terms();
  clock.ms = 11_000;
  expect(theirs.renew(1_000)).toBe(false);
  expect(ours.isOn()).toBe(false);
});

test("the end that one thread tells is the end for both", () => {
  const { ours, theirs } = terms();
  theirs.renew(1_000);
  theirs.end();
  expect(ours.isOn()).toBe(false);
});
