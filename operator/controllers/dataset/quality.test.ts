import { describe, expect, test } from "vitest";
import { observedDataset } from "../../../test/builders/datasets.ts";
import { dataset, start } from "../../../test/builders/kinds.ts";
import { datasetRecord } from "../../../test/builders/records.ts";
import { settings } from "../../../test/builders/settings.ts";
import { complete, failed, made, pod, told } from "../../../test/builders/workloads.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { DatasetVersion } from "../../store/api.ts";
import type { Job, Pod } from "../children/types.ts";
import { planDataset } from "./plan.ts";

const schema = { columns: [{ name: "at", role: "Timestamp" }] };
const expectations = [
  { name: "enough", rows: { min: 10 }, onViolation: "Warn" },
  { name: "fresh", freshness: { maxAge: "1h" } },
];
const subject = dataset({ schema, expectations });

interface Situation {
  of?: Dataset;
  facts?: Partial<DatasetVersion>;
  jobs?: Job[];
  pods?: ReadonlyMap<string, readonly Pod[]>;
  now?: Date;
}
function plan({ of = subject, facts = {}, jobs = [], pods = new Map(), now = start }: Situation = {}) {
  const { versions, current } = datasetRecord(1);
  const record = { found: { versions: versions.map((version) => ({ ...version, ...facts })), current: current ?? 1 } };
  return planDataset(observedDataset({ dataset: of, jobs, pods, record }), settings, now);
}
const condition = (planned: ReturnType<typeof plan>, type: string) =>
  planned.status.conditions?.find((candidate) => candidate.type === type);
const result = (passed: boolean) => [{ name: "enough", passed, message: "3 rows are fewer than 10" }];

describe("expectations", () => {
  test("that are met are told", () => {
    const planned = plan({ facts: { expectations: result(true) } });
    expect(condition(planned, "ExpectationsMet")).toMatchObject({ status: "True", reason: "ExpectationsMet" });
    expect(planned.status.expectations).toEqual(result(true));
  });

  test("that warn are told, once, and the version is ready all the same", () => {
    const [child] = plan().apply;
    const jobs = child ? [made(child.object, complete)] : [];
    const planned = plan({ facts: { expectations: result(false) }, jobs });
    expect(condition(planned, "Ready")).toMatchObject({ status: "True" });
    expect(condition(planned, "ExpectationsMet")).toMatchObject({
      ...{ status: "False", reason: "ExpectationWarning", message: "enough: 3 rows are fewer than 10" },
    });
    const warnings = ({ events }: typeof planned) => events.filter(({ reason }) => reason === "ExpectationWarning");
    expect(warnings(planned)).toHaveLength(1);
    const again = plan({ of: { ...subject, status: planned.status }, facts: { expectations: result(false) }, jobs });
    expect(warnings(again)).toEqual([]);
  });

  test("that block keep the last good version current, and name what was found", () => {
    const [child] = plan().apply;
    const job = made(child?.object as Job, failed);
    const message = "range: 2 of 10 rows, such as row 7";
    const pods = new Map([
      [job.metadata.name, [pod(job.metadata.name, told("snapshot", "ExpectationFailed", message))]],
    ]);
    const planned = plan({ jobs: [job], pods, facts: { expectations: result(true) } });
    expect(planned.status).toMatchObject({ version: 1 });
    expect(condition(planned, "Ready")).toMatchObject({
      status: "False",
      message: `${message}; version 1 stays current`,
    });
    expect(condition(planned, "ExpectationsMet")).toMatchObject({
      status: "False",
      reason: "ExpectationFailed",
      message,
    });
    expect(condition(planned, "Stalled")).toBeDefined();
  });

  test("that there are not have no condition", () => {
    expect(condition(plan({ of: dataset() }), "ExpectationsMet")).toBeUndefined();
  });
});

describe("freshness", () => {
  const newest = "2026-03-01T09:30:00.000Z";
  const done = plan({ facts: { newest } });
  const [child] = done.apply;
  const jobs = child ? [made(child.object, complete)] : [];
  const fresh = plan({ facts: { newest }, jobs });

  test("holds until the newest row is too old, and is looked at again at that moment", () => {
    expect(condition(fresh, "Fresh")).toMatchObject({ status: "True", reason: "Fresh" });
    expect(fresh.outcome).toEqual({ kind: "waiting", requeueAfterMs: 23 * 60_000 + 50 });
  });

  test("ends by time alone: the version stays, nothing is read, and it is told once", () => {
    const now = new Date("2026-03-01T10:30:00Z");
    const known = { ...subject, status: fresh.status };
    const stale = plan({ of: known, facts: { newest }, now });
    expect(stale.apply).toEqual([]);
    expect(stale.status).toMatchObject({ version: 1, newest });
    expect(condition(stale, "Fresh")).toMatchObject({ status: "False", reason: "DataStale" });
    expect(condition(stale, "Ready")).toMatchObject({ status: "True" });
    expect(stale.events).toMatchObject([{ type: "Warning", reason: "DataStale" }]);
    const again = plan({ of: { ...known, status: stale.status }, facts: { newest }, now });
    expect(again).toMatchObject({ events: [], outcome: { kind: "settled" }, status: stale.status });
  });

  test("of data without a time is none, and of an age beyond all time has no end", () => {
    expect(condition(plan(), "Fresh")).toMatchObject({ status: "False", message: "no row has a time" });
    const columns = [
      { name: "at", type: "Date" as const, nullable: false, role: "Timestamp" as const, sensitive: true as const },
    ];
    const hidden = plan({ facts: { columns } });
    expect(condition(hidden, "Fresh")).toMatchObject({
      message: expect.stringMatching(/^the column at is sensitive: how/),
    });
    const patient = [{ name: "fresh", freshness: { maxAge: "99999999999999d" } }];
    const planned = plan({ of: dataset({ schema, expectations: patient }), facts: { newest }, jobs });
    expect(condition(planned, "Fresh")).toMatchObject({ status: "True" });
  });
});

test("what is known of the data stays told while the store is away", () => {
  const { status } = plan({ facts: { expectations: result(false), newest: "2026-03-01T09:30:00.000Z" } });
  const away = observedDataset({ dataset: { ...subject, status }, record: { unavailable: "no answer" } });
  const types = planDataset(away, settings, start).status.conditions?.map(({ type }) => type);
  expect(types).toEqual(["Ready", "Reconciling", "ExpectationsMet", "Fresh"]);
});
