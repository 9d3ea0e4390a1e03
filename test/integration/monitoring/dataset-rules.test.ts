/** The chart's alerts for Datasets, in the hands of Prometheus' own promtool: hours of metrics in seconds. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";
import { afterAll, beforeAll, expect, test } from "vitest";
import { find, render } from "../../chart/chart.ts";
import { run } from "../../cluster/command.ts";
import { binary } from "../../cluster/tools.ts";

let folder: string;
let promtool: string;
let rules: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lemnis-rules-"));
  promtool = await binary("promtool");
  const manifests = await render({ "metrics.prometheusRule.enabled": true });
  rules = join(folder, "rules.yaml");
  await writeFile(rules, dump(find(manifests, "PrometheusRule", "lemnis-datasets").spec));
}, 900_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test("they are such as Prometheus loads", async () => {
  expect(await run(promtool, ["check", "rules", "--lint=all", "--lint-fatal", rules])).toContain("SUCCESS");
});

const of = (metric: string, values: string, more = "", pod = "lemnis-0") => ({
  series: `lemnis_dataset_${metric}{namespace="team-a",dataset="wine",pod="${pod}"${more}}`,
  values,
});
const condition = (type: string, values: string, pod?: string) => of("condition", values, `,condition="${type}"`, pod);
/** A quarter of an hour between two looks; the last ended when the clock stood at 0. */
const scheduled = [of("check_interval_seconds", "900x300"), of("last_checked_timestamp_seconds", "0x300")];

test.each<[string, object[], Record<string, string[]>]>([
  [
    "a Dataset that is well alerts nobody",
    [
      condition("Ready", "1x300"),
      condition("ExpectationsMet", "1x300"),
      of("rows", "80x300"),
      of("previous_rows", "100x300"),
    ],
    { "40m": [], "4h": [] },
  ],
  ["a reading of some minutes alerts nobody", [condition("Ready", "1x10 0x20 1x300")], { "25m": [], "1h": [] }],
  ["one that is not ready for half an hour is told", [condition("Ready", "0x300")], { "29m": [], "31m": ["Failing"] }],
  [
    "two replicas of the operator tell it once",
    [condition("Ready", "0x300"), condition("Ready", "0x300", "lemnis-1")],
    { "31m": ["Failing"] },
  ],
  [
    "data that is not as expected is told",
    [condition("ExpectationsMet", "1x10 0x300")],
    { "14m": [], "17m": ["Unexpected"] },
  ],
  ["data that grows old is told", [condition("Fresh", "1x10 0x300")], { "14m": [], "17m": ["Stale"] }],
  ["a schedule that is missed thrice and an hour is told", scheduled, { "100m": [], "111m": ["NotChecked"] }],
  ["a source without a schedule need not be looked at", [of("last_checked_timestamp_seconds", "0x300")], { "5h": [] }],
  [
    "a version with less than four fifths of the rows is told, until the next",
    [of("rows", "100x10 79x60 80x300"), of("previous_rows", "100x300")],
    { "14m": [], "20m": ["Shrinking"], "80m": [] },
  ],
])("%s", async (_, series, firing) => {
  const checks = Object.entries(firing).map(([at, alerts]) => ({
    expr: 'count by (alertname, namespace, dataset) (ALERTS{alertstate="firing"})',
    eval_time: at,
    exp_samples: alerts.map((alert) => ({
      labels: `{alertname="LemnisDataset${alert}",namespace="team-a",dataset="wine"}`,
      value: 1,
    })),
  }));
  const file = join(folder, "test.yaml");
  const tests = [{ interval: "1m", input_series: series, promql_expr_test: checks }];
  await writeFile(file, dump({ rule_files: [rules], evaluation_interval: "1m", tests }));
  expect(await run(promtool, ["test", "rules", file])).toContain("SUCCESS");
});
