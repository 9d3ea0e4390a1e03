import { expect, test } from "vitest";
import { latencyMetrics, percentile } from "./latency.ts";
import { regressionMetrics } from "./regression.ts";

test("errors are as scikit-learn's", () => {
  const metrics = regressionMetrics([3, -0.5, 2, 7], [2.5, 0, 2, 8]);
  expect(metrics.mae).toBeCloseTo(0.5, 9);
  expect(metrics.rmse).toBeCloseTo(0.6123724, 6);
  expect(metrics.r2).toBeCloseTo(0.9486081, 6);
});

test("a constant truth, or a single row, has no r2", () => {
  expect(regressionMetrics([0.1, 0.1, 0.1], [0, 0.1, 0.2])).not.toHaveProperty("r2");
  expect(regressionMetrics([1], [2])).toEqual({ mae: 1, rmse: 1 });
});

test("percentiles are numpy's, in any order of the requests", () => {
  expect(percentile([1, 2, 3, 4], 50)).toBe(2.5);
  expect(percentile([7], 99)).toBe(7);
  const metrics = latencyMetrics([10, 1, ...Array.from({ length: 98 }, () => 2)]);
  expect(metrics.latency_p50_ms).toBe(2);
  expect(metrics.latency_p99_ms).toBeCloseTo(2.08, 6);
});
