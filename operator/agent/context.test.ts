import { expect, test } from "vitest";
import { defaultTiming } from "./context.ts";

test("what the documentation says of how long things may take", () => {
  expect(defaultTiming).toMatchObject({ expectation: 10 * 60_000, transform: 60 * 60_000 });
});

test("a source may be silent for a minute, and send for hours", () => {
  expect(defaultTiming).toMatchObject({ idle: 60_000, transfer: 3 * 3_600_000 });
});
