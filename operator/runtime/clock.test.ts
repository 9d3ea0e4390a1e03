import { expect, test } from "vitest";
import { systemClock } from "./clock.ts";

test("a sleep takes its time", async () => {
  const before = systemClock.monotonicMs();
  await systemClock.sleep(20);
  expect(systemClock.monotonicMs() - before).toBeGreaterThan(18);
});

test("a sleep ends at once, and well, when its signal is aborted, before or meanwhile", async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(3_600_000, stop.signal);
  stop.abort();
  await expect(sleeping).resolves.toBeUndefined();
  await expect(systemClock.sleep(3_600_000, stop.signal)).resolves.toBeUndefined();
});
