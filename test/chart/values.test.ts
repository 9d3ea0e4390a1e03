import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { chartFolder, renderText } from "./chart.ts";

describe("values.schema.json refuses", () => {
  test.each([
    [{ "operator.replica": 2 }, "replica"],
    [{ operators: {} }, "operators"],
    [{ "store.replicas": 2 }, "replicas"],
    [{ "store.postgresql.url": "postgres://host/lemnis" }, "url"],
    [{ "store.postgresql.existingSecret": 1 }, "store/postgresql/existingSecret"],
    [{ "operator.replicas": "2" }, "operator/replicas"],
    [{ "operator.replicas": 0 }, "operator/replicas"],
    [{ "operator.drainSeconds": -1 }, "operator/drainSeconds"],
    [{ "image.pullPolicy": "Sometimes" }, "image/pullPolicy"],
    [{ "image.digest": "sha256:abc" }, "image/digest"],
    [{ "image.tag": 1.1 }, "image/tag"],
    [{ "store.persistence.size": "10 gigabytes" }, "store/persistence/size"],
    [{ "store.resources.limits.memory": true }, "store/resources/limits/memory"],
    [{ "operator.nodeSelector.gpu": true }, "operator/nodeSelector/gpu"],
    [{ "runtimes.sklearn.enabled": "yes" }, "runtimes/sklearn/enabled"],
    [{ "metrics.serviceMonitor.interval": "often" }, "metrics/serviceMonitor/interval"],
    [{ "sources.deniedRanges": ["10.0.0.0"] }, "sources/deniedRanges"],
    [{ "webhook.enabled": "yes" }, "webhook/enabled"],
    [{ logLevel: "verbose" }, "logLevel"],
    [{ "rbac.pluginAccess": "everybody" }, "rbac/pluginAccess"],
    [{ fullnameOverride: "Not_A_Name" }, "fullnameOverride"],
  ])("%j, and names the field", async (values, field) => {
    await expect(renderText(values)).rejects.toThrow(field);
  });
});

test("the chart's README lists every value with its default", () => {
  const values = load(readFileSync(join(chartFolder, "values.yaml"), "utf8"));
  const readme = readFileSync(join(chartFolder, "README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| `([^`]+)` \| `([^`]+)` \|/gm)].map(([, path, value]) => [path, value]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(leaves(values)));
});

/** Path and JSON of every value that is not a map with members. */
function leaves(value: unknown, path = ""): [string, string][] {
  if (value === null || typeof value !== "object" || Array.isArray(value) || Object.keys(value).length === 0) {
    return [[path, JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, child]) => leaves(child, path ? `${path}.${key}` : key));
}
