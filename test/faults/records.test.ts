import { expect, test } from "vitest";
import type { ModelRecord } from "../../operator/store/api.ts";
import { lostRecords, type Records } from "./records.ts";

const version = (number: number, verdict?: string, evaluations: string[] = ["e"]) => ({
  version: number,
  ...(verdict ? { decision: { verdict, evaluation: "e" } } : {}),
  evaluations: evaluations.map((digest) => ({ digest })),
});
const model = (third: object = version(3, "Failed"), champion = 2) =>
  ({ versions: [third, version(2, "Passed"), version(1, "Passed")], aliases: { champion } }) as unknown as ModelRecord;
const three = (phase: string) => [{ phase: "Succeeded" }, { phase: "Succeeded" }, { phase }];
const records = (changes: Partial<Records> = {}): Records => ({
  ...{ model: model(), runs: three("Succeeded"), datasetVersions: [{ digest: "a" }, { digest: "b" }, { digest: "c" }] },
  ...changes,
});

test.each<[string, Partial<Records>]>([
  ["a run", { runs: three("Succeeded").slice(1) }],
  ["how a run ended", { runs: three("Running") }],
  ["a version of the data", { datasetVersions: [{ digest: "a" }] }],
  ["a decision", { model: model(version(3)) }],
  ["what was decided", { model: model(version(3, "Passed")) }],
  ["an evaluation", { model: model(version(3, "Failed", [])) }],
  ["an alias", { model: model(version(3, "Failed"), 1) }],
])("%s that is lost is found out", (_, changes) => {
  expect(lostRecords(records(changes)).length).toBeGreaterThan(0);
});

test("an evaluation that is there twice is found out", () => {
  expect(lostRecords(records({ model: model(version(3, "Failed", ["e", "e"])) }))).toHaveLength(1);
});

test("all that was acknowledged is there", () => {
  expect(lostRecords(records())).toEqual([]);
});
