import { z } from "zod";
import { cel } from "./common.ts";

/** Seconds of a threshold such as 200ms or 2.5s. */
export function secondsOf(threshold: string): number {
  const [, number, unit] = /^([0-9.]+)(ms|s)$/.exec(threshold) ?? [];
  return Number(number) / (unit === "ms" ? 1000 : 1);
}

/** Below 90 not even a total failure would burn a budget fast enough for the first alert. */
const percent = z.number().min(90).max(99.999);

const threshold = cel(
  z
    .string()
    .min(2)
    .max(16)
    .regex(/^([0-9]{1,5}ms|[0-9]{1,2}([.][0-9]{1,3})?s)$/),
  {
    rule: "duration(self) >= duration('5ms') && duration(self) <= duration('10s')",
    message: "must be from 5ms to 10s, where the runtime's histogram has its buckets",
    check: (value) => secondsOf(value) >= 0.005 && secondsOf(value) <= 10,
  },
);

/** What the service promises, and Prometheus watches. */
export const slo = cel(
  z.strictObject({
    availability: percent
      .optional()
      .describe(
        "Percent of the predictions, from 90 to 99.999, that are answered without an error of the server (5xx).",
      ),
    latency: z
      .strictObject({
        threshold: threshold.describe("The time that an answer may take, from 5ms to 10s, such as 200ms."),
        percent: percent.describe("Percent of the answers, from 90 to 99.999, that take no longer."),
      })
      .optional()
      .describe("How fast predictions are answered."),
  }),
  {
    rule: "has(self.availability) || has(self.latency)",
    message: "give availability or latency, or both",
    check: ({ availability, latency }) => availability !== undefined || latency !== undefined,
  },
);
