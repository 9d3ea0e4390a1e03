import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dataset } from "../../../test/builders/kinds.ts";
import { datasetRecord } from "../../../test/builders/records.ts";
import type { DatasetStatus } from "../../api/v1alpha1/dataset-status.ts";
import { ApiError, ConnectionError } from "../../kube/errors.ts";
import { explain } from "../failure.ts";
import { lookState } from "./refresh.ts";
import { versionLines } from "./versions.ts";

const condition = (type: string, message: string, at = "2026-03-01T10:00:00Z") => ({
  ...{
    type,
    status: "True" as const,
    reason: "SourceNotFound",
    message,
    observedGeneration: 1,
    lastTransitionTime: at,
  },
});
const status = (changes: Partial<DatasetStatus>): DatasetStatus => ({
  observedGeneration: 1,
  conditions: [],
  ...changes,
});
const state = (before: Partial<DatasetStatus>, after: Partial<DatasetStatus>, passedMs = 2000) =>
  lookState(dataset({}, status(before)), dataset({}, status(after)), passedMs);

describe("a look that was asked for", () => {
  test("has ended well when another look is the last one, whether or not it made a version", () => {
    const old = { look: "a", version: 2, rows: 10 };
    expect(state(old, { look: "b", version: 3, rows: 2000 })).toEqual({
      ended: "Succeeded",
      message: "version 3 with 2,000 rows is current",
    });
    expect(state(old, { ...old, look: "b" })).toMatchObject({
      ended: "Succeeded",
      message: "version 2 with 10 rows is current still",
    });
    expect(state({}, { look: "a", version: 1, rows: 1 })).toMatchObject({ ended: "Succeeded" });
  });

  test("goes on while the last look is the old one, and says how far it is", () => {
    const look = { look: "a" };
    expect(state(look, look)).toEqual({ message: "waiting for the operator" });
    expect(state(look, { ...look, conditions: [condition("Reconciling", "reading s3://a")] })).toEqual({
      message: "reading s3://a",
    });
    expect(state(look, { ...look, progress: "Reading: 3 rows", conditions: [condition("Reconciling", "x")] })).toEqual({
      message: "Reading: 3 rows",
    });
  });

  test("has failed when the Dataset is stalled anew; what it was stalled by before counts when nothing else comes", () => {
    const stalled = { conditions: [condition("Stalled", "404")] };
    expect(state({}, stalled)).toEqual({ ended: "Failed", message: "SourceNotFound: 404" });
    expect(state(stalled, stalled)).not.toHaveProperty("ended");
    expect(state(stalled, { conditions: [condition("Stalled", "404", "2026-03-01T10:00:05Z")] })).toHaveProperty(
      "ended",
      "Failed",
    );
    expect(state(stalled, stalled, 16_000)).toHaveProperty("ended", "Failed");
  });
});

test("versions are a table; what broke an expectation is named", () => {
  const record = datasetRecord(2);
  const [newest] = record.versions;
  const parents = [{ dataset: "raw", version: 7, digest: `sha256:${"0".repeat(64)}` }];
  const expectations = [
    { name: "enough", passed: true, message: "" },
    { name: "fresh", passed: false, message: "" },
  ];
  const versions = [{ ...newest, parents, expectations }, ...record.versions.slice(1)] as typeof record.versions;
  const lines = versionLines({ versions, current: 1 }, { screen: { width: 200, color: false } });
  expect(lines[0]).toMatch(/^VERSION {2}CURRENT {2}DIGEST +ROWS +SIZE +CREATED +EXPECTATIONS +FROM$/);
  expect(lines[1]).toMatch(/^ {6}2 +sha256:\w{12} +100 +1000 B +2026-03-01 10:06 UTC +broken: fresh +raw@7$/);
  expect(lines[2]).toMatch(/^ {6}1 {2}\* /);
});

test("the API server's refusals say who may, and what to look at", () => {
  const refused = (status: number) =>
    explain(new ApiError("get Dataset wine", status, { message: "no" }), "get Datasets").message;
  expect(refused(401)).toBe("the API server does not know you: log in again");
  expect(refused(403)).toBe("you may not get Datasets: get Dataset wine: 403 no");
  expect(refused(500)).toBe("get Datasets: get Dataset wine: 500 no");
  expect(explain(new ConnectionError("get", new Error("refused")), "x").message).toMatch(
    /can't be reached.*kubeconfig/,
  );
  const bug = new TypeError("bug");
  expect(explain(bug, "x")).toBe(bug);
});

test("a Node that runs no TypeScript hands over to the project's own; without a kubeconfig it says so", () => {
  const plugin = join(import.meta.dirname, "../kubectl-lemnis.mjs");
  for (const flags of [[], ["--no-experimental-strip-types"]]) {
    const { status, stdout } = spawnSync(process.execPath, [...flags, plugin, "diff", "--help"], { encoding: "utf8" });
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("Usage: kubectl lemnis diff"),
    });
  }
  const env = { PATH: process.env.PATH, HOME: "/nonexistent" };
  const lost = spawnSync(process.execPath, [plugin, "versions", "wine"], { encoding: "utf8", env });
  expect(lost).toMatchObject({ status: 1, stderr: expect.stringContaining("there is no kubeconfig") });
  expect(spawnSync(process.execPath, ["--no-experimental-strip-types", plugin, "nothing"]).status).toBe(2);
}, 60_000);
