import { expect, test } from "vitest";
import type { Progress } from "../../store/api.ts";
import { progressText } from "./progress.ts";

const gib = 2 ** 30;

test.each<[Progress, string]>([
  [
    { phase: "Reading", bytes: 1.2 * gib, totalBytes: 3 * gib, rows: 12_345_678 },
    "Reading 1.2 GiB of 3.0 GiB, 12 million rows",
  ],
  [{ phase: "Fetching", bytes: 0 }, "Fetching 0 B"],
  [{ phase: "Fetching", bytes: 1023, totalBytes: 1024 }, "Fetching 1023 B of 1.0 KiB"],
  [{ phase: "Checking", bytes: 5 * 2 ** 20, rows: 12_345 }, "Checking 5.0 MiB, 12,345 rows"],
  [{ phase: "Storing", bytes: 2 ** 40, rows: 1_990_000 }, "Storing 1.0 TiB, 1.9 million rows"],
  [{ phase: "Storing", bytes: 2 ** 50, rows: 2_500_000_000 }, "Storing 1.0 PiB, 2.5 billion rows"],
])("%j is told as %s", (progress, text) => {
  expect(progressText(progress)).toBe(text);
});
