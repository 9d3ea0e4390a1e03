import { Registry } from "prom-client";
import { beforeEach, describe, expect, test } from "vitest";
import { dataset, digestOf } from "../test/builders/kinds.ts";
import { DatasetMetrics } from "./dataset-metrics.ts";

let registry: Registry;
let metrics: DatasetMetrics;
beforeEach(() => {
  registry = new Registry();
  metrics = new DatasetMetrics(registry);
});

const version = (number: number, rows: number) => ({
  ...{ version: number, digest: digestOf(`${number}`), rows, bytes: rows * 10, createdAt: "2026-03-01T10:00:00Z" },
});
const condition = (type: string, status: "True" | "False") => ({
  ...{ type, status, reason: "x", message: "x", lastTransitionTime: "x" },
});
const subject = dataset(
  { schedule: "*/15 * * * *" },
  {
    ...{ version: 3, digest: digestOf("3"), rows: 70, bytes: 700, lastChecked: "2026-03-01T10:00:00Z" },
    versions: [version(4, 1), version(3, 70), version(2, 100), version(1, 5)],
    conditions: [condition("Ready", "True"), condition("Reconciling", "True"), condition("Fresh", "False")],
    expectations: [{ name: "enough", passed: false, message: "x" }],
  },
);

async function series(): Promise<string[]> {
  const lines = (await registry.metrics()).split("\n").filter((line) => /^lemnis/.test(line));
  return lines.map((line) => line.replace('namespace="team-a",dataset="wine"', "")).sort();
}

describe("a Dataset's metrics", () => {
  test("say how its current version stands, beside the one before it", async () => {
    metrics.update(subject, false);
    expect(await series()).toEqual([
      "lemnis_dataset_bytes{} 700",
      "lemnis_dataset_check_interval_seconds{} 900",
      'lemnis_dataset_condition{,condition="Fresh"} 0',
      'lemnis_dataset_condition{,condition="Ready"} 1',
      'lemnis_dataset_expectation_passed{,expectation="enough"} 0',
      "lemnis_dataset_last_checked_timestamp_seconds{} 1772359200",
      "lemnis_dataset_previous_rows{} 100",
      "lemnis_dataset_rows{} 70",
      "lemnis_dataset_version{} 3",
    ]);
  });

  test("lose what is not so any more, and all when it is deleted", async () => {
    metrics.update(subject, false);
    metrics.update(dataset({ schedule: "99 * * * *" }), false);
    expect(await series()).toEqual([]);
    metrics.update(subject, false);
    metrics.update(subject, true);
    expect(await series()).toEqual([]);
  });
});
