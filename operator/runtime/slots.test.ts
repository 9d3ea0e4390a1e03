import { expect, test } from "vitest";
import { Slots } from "./slots.ts";

test("so many works run at a time, the others in the order in which they came; one that fails makes room", async () => {
  const slots = new Slots(2);
  const log: string[] = [];
  const work = (name: string, fails = false) =>
    slots.use(async () => {
      log.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const all = await Promise.allSettled([work("a", true), work("b"), work("c"), work("d")]);
  expect(all.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled", "fulfilled"]);
  expect(log.slice(0, 2)).toEqual(["a begins", "b begins"]);
  expect(log.filter((line) => line.endsWith("begins"))).toEqual(["a", "b", "c", "d"].map((name) => `${name} begins`));
  for (let at = 0, running = 0; at < log.length; at++) {
    running += log[at]?.endsWith("begins") ? 1 : -1;
    expect(running).toBeLessThanOrEqual(2);
  }
  expect(await work("e")).toBe("e");
});

test("nobody waits once they are open", async () => {
  const slots = new Slots(1);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let begun = 0;
  const work = () =>
    slots.use(() => {
      begun++;
      return ended;
    });
  const all = [work(), work(), work()];
  expect(begun).toBe(1);
  slots.open();
  all.push(work());
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toBe(4);
  end();
  await Promise.all(all);
});
