import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

test("each metric has the operator's prefix, its unit or _total where it counts, and a help text", async () => {
  const registry = new Registry();
  createMetrics(registry);
  const metrics = await registry.getMetricsAsJSON();
  expect(metrics.length).toBeGreaterThan(8);
  for (const { name, help, type } of metrics) {
    expect(name).toMatch(/^lemnis_[a-z_]+$/);
    expect(name.endsWith("_total")).toBe(String(type) === "counter");
    if (String(type) === "histogram") expect(name).toMatch(/_seconds$/);
    expect(help).toMatch(/^[A-Z0-9].*\.$/);
  }
});

test("two operators in one process count apart", async () => {
  const [first, second] = [new Registry(), new Registry()];
  createMetrics(first).reconciles.inc({ controller: "model", result: "settled" });
  createMetrics(second);
  expect(await first.metrics()).toContain('lemnis_reconcile_total{controller="model",result="settled"} 1');
  expect(await second.metrics()).not.toContain('controller="model"');
});
