import { z } from "zod";
import { cel } from "./common.ts";

/** By a rule, because the API server rounds a fractional minimum when the value is a whole number. */
const threshold = cel(z.number().min(0).max(1e12), {
  rule: "self > 0.0",
  message: "must be greater than 0",
  check: (value) => value > 0,
});

/** Scaling by what Prometheus says, which KEDA does. */
export const scaleQuery = z.strictObject({
  serverAddress: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#@]*)?$/)
    .describe("Where Prometheus answers queries, such as http://prometheus-operated.monitoring.svc:9090."),
  query: z
    .string()
    .min(1)
    .max(4096)
    .describe("PromQL that gives one number, such as the sum of the service's requests per second."),
  threshold: threshold.describe(
    "How much of that number one replica is for, more than 0 and at most 1e12: 100 at a threshold of 20 are 5 replicas.",
  ),
});
