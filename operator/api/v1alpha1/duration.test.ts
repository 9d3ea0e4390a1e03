import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

test.each([
  ["250ms", 250],
  ["90s", 90_000],
  ["1h30m", 5_400_000],
  ["7d", 604_800_000],
])("%s is %i ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "5", "m", "1.5h", "1h 30m", "-1h", "1w"])("%j is refused", (text) => {
  expect(() => parseDuration(text)).toThrow(/90s, 1h30m or 7d/);
});
