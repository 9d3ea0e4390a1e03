import { describe, expect, test } from "vitest";
import { observedDataset } from "../../../test/builders/datasets.ts";
import { dataset, start } from "../../../test/builders/kinds.ts";
import { datasetRecord } from "../../../test/builders/records.ts";
import { settings } from "../../../test/builders/settings.ts";
import { complete, ended, failed, made, pod, running, told, waiting } from "../../../test/builders/workloads.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { Job, Pod } from "../children/types.ts";
import { planDataset } from "./plan.ts";

interface Situation {
  jobs?: Job[];
  pods?: Pod[];
  versions?: number;
  now?: Date;
}

function plan(subject: Dataset, { jobs = [], pods = [], versions = 0, now = start }: Situation = {}) {
  const byJob = new Map(jobs.map((job) => [job.metadata.name, pods]));
  const record = { found: datasetRecord(versions) };
  return planDataset(observedDataset({ dataset: subject, jobs, pods: byJob, record }), settings, now);
}

/** The Job of the look that the Dataset asks for. */
function lookOf(subject: Dataset, status = running): Job {
  const [child] = plan(subject).apply;
  if (!child) throw new Error("no look is asked for");
  return made(child.object, status);
}

const readyOf = (planned: { status: Dataset["status"] }) => planned.status?.conditions?.[0];
const later = (minutes: number) => new Date(start.getTime() + minutes * 60_000);

describe("a new Dataset", () => {
  test("is looked at by one Job, which it owns", () => {
    const planned = plan(dataset());
    expect(planned.apply).toHaveLength(1);
    expect(planned.apply[0]?.object).toMatchObject({
      kind: "Job",
      metadata: { namespace: "team-a", ownerReferences: [{ kind: "Dataset", name: "wine", controller: true }] },
    });
    expect(readyOf(planned)).toMatchObject({ status: "False", reason: "Snapshotting" });
  });

  test("is not looked at again while its Job runs, or once it is complete", () => {
    const subject = dataset();
    for (const status of [running, complete])
      expect(plan(subject, { jobs: [lookOf(subject, status)] }).apply).toEqual([]);
  });

  test("waits when the store is away, and keeps its status", () => {
    const subject = dataset({}, { version: 3, conditions: [] });
    const away = observedDataset({ dataset: subject, record: { unavailable: "no answer" } });
    const planned = planDataset(away, settings, start);
    expect(planned.apply).toEqual([]);
    expect(planned.status).toMatchObject({ version: 3, conditions: [{ reason: "StoreUnavailable" }, {}] });
    expect(planned.outcome).toMatchObject({ kind: "waiting", requeueAfterMs: expect.any(Number) });
  });
});

describe("a look that ended well", () => {
  test("makes the store's current version the Dataset's", () => {
    const subject = dataset();
    const planned = plan(subject, { jobs: [lookOf(subject, complete)], versions: 2 });
    expect(planned.status).toMatchObject({ version: 2, rows: 100, label: "class", splits: { train: 80, test: 20 } });
    expect(readyOf(planned)).toMatchObject({ status: "True", reason: "VersionCurrent" });
    expect(planned.events).toEqual([
      { type: "Normal", reason: "VersionCurrent", message: "version 2 with 100 rows is current" },
    ]);
    expect(planned.outcome).toEqual({ kind: "settled" });
  });

  test("is told once, also when the store knows its version before the Job has ended", () => {
    const subject = dataset();
    const jobs = [lookOf(subject)];
    const during = plan(subject, { jobs, versions: 1 });
    expect(during.events).toMatchObject([{ reason: "VersionCurrent" }]);
    expect(plan(dataset({}, during.status), { jobs, versions: 1 }).events).toEqual([]);
  });

  test("is remembered in the status when its Job is gone", () => {
    const subject = dataset();
    const { status } = plan(subject, { jobs: [lookOf(subject, complete)], versions: 1 });
    const again = plan({ ...subject, status }, { versions: 1 });
    expect(again.apply).toEqual([]);
    expect(again.status).toEqual(status);
    expect(again.events).toEqual([]);
  });
});

describe("what asks for another look", () => {
  const subject = dataset();
  const seen = plan(subject, { jobs: [lookOf(subject, complete)], versions: 1 }).status;

  test.each([
    ["another uri", { source: { uri: "http://host/other.csv" } }],
    ["another format", { format: "JSONL" }],
    ["other splits", { splits: { train: 50, test: 50 } }],
    ["another seed", { splitSeed: 7 }],
    ["a dialect", { csv: { delimiter: ";" } }],
    ["another storage", { storage: "Reference" }],
    ["an expectation", { expectations: [{ name: "enough", rows: { min: 1 } }] }],
    ["a Secret", { source: { uri: "http://host/wine.csv", secretRef: { name: "s" } } }],
    ["a column of the contract", { schema: { columns: [{ name: "class", role: "Label" }] } }],
  ])("%s", (_, spec) => {
    expect(plan(dataset(spec, seen), { versions: 1 }).apply).toHaveLength(1);
  });

  test("a new value of the refresh annotation", () => {
    const asked = dataset({}, seen);
    asked.metadata.annotations = { "lemnis.dev/refresh": "now" };
    expect(plan(asked, { versions: 1 }).apply).toHaveLength(1);
  });

  test("a time of the schedule, once, however many were missed", () => {
    const spec = { schedule: "*/15 * * * *" };
    const scheduled = dataset(spec);
    const known = plan(scheduled, { jobs: [lookOf(scheduled, complete)], versions: 1 });
    expect(known.outcome).toEqual({ kind: "waiting", requeueAfterMs: 8 * 60_000 + 50 });
    const idle = plan(dataset(spec, known.status), { versions: 1, now: later(7) });
    expect(idle.apply).toEqual([]);
    const [first] = plan(dataset(spec, known.status), { versions: 1, now: later(8) }).apply;
    const [same] = plan(dataset(spec, known.status), { versions: 1, now: later(22) }).apply;
    expect(first).toBeDefined();
    expect(same?.object.metadata.name).toBe(first?.object.metadata.name);
  });

  test("but not a description, how many versions are kept, how large the pod is, or who may ask for a look", () => {
    const webhook = { tokenSha256: "a".repeat(64) };
    const other = { description: "wines", retain: 3, resources: { limits: { memory: "8Gi" } }, webhook };
    expect(plan(dataset(other, seen), { versions: 1 }).apply).toEqual([]);
  });
});

describe("a look that is under way when another is asked for", () => {
  test("is ended when it reads the wrong thing", () => {
    const old = lookOf(dataset());
    const planned = plan(dataset({ source: { uri: "http://host/other.csv" } }), { jobs: [old] });
    expect(planned.delete).toMatchObject([{ name: old.metadata.name, uid: old.metadata.uid }]);
    expect(planned.apply).toHaveLength(1);
  });

  test("goes first when it reads the right thing", () => {
    const old = lookOf(dataset());
    const asked = dataset();
    asked.metadata.annotations = { "lemnis.dev/refresh": "now" };
    expect(plan(asked, { jobs: [old] })).toMatchObject({ apply: [], delete: [] });
    expect(plan(asked, { jobs: [made(old, complete)] }).apply).toHaveLength(1);
  });
});

describe("a look that failed", () => {
  const subject = dataset({}, { version: 1 });
  const job = lookOf(subject, failed);

  test("for good: stalls with the reason, keeps the version, and is not made again", () => {
    const pods = [pod(job.metadata.name, told("snapshot", "SourceInvalid", "line 3 is ragged"))];
    const planned = plan(subject, { jobs: [job], pods, versions: 1, now: later(600) });
    expect(planned).toMatchObject({ apply: [], delete: [], outcome: { kind: "stalled" }, status: { version: 1 } });
    expect(planned.status?.conditions).toMatchObject([
      { type: "Ready", status: "False", reason: "SourceInvalid", message: "line 3 is ragged; version 1 stays current" },
      { type: "Stalled", status: "True", reason: "SourceInvalid" },
    ]);
    expect(planned.events).toMatchObject([{ type: "Warning", reason: "SourceInvalid" }]);
  });

  test("for now: is made again after ten minutes", () => {
    const pods = [pod(job.metadata.name, told("snapshot", "SourceUnreachable", "no answer", 1))];
    const planned = plan(subject, { jobs: [job], pods, versions: 1 });
    expect(planned.delete).toEqual([]);
    expect(planned.outcome).toEqual({ kind: "waiting", requeueAfterMs: 9.5 * 60_000 + 50 });
    expect(readyOf(planned)?.message).toContain("next try at 2026-03-01T10:16:30.000Z");
    const due = plan(subject, { jobs: [job], pods, versions: 1, now: later(10) });
    expect(due.delete).toMatchObject([{ name: job.metadata.name }]);
  });
});

describe("a look that can't be made as it is", () => {
  test("is made again when the Dataset is edited: more memory, another Secret", () => {
    const job = lookOf(dataset(), failed);
    const pods = [pod(job.metadata.name, ended("snapshot", 137, { reason: "OOMKilled" }))];
    const edited = dataset({ resources: { limits: { memory: "8Gi" } } });
    expect(plan(edited, { jobs: [job], pods }).delete).toEqual([]);
    edited.metadata.generation = 2;
    expect(plan(edited, { jobs: [job], pods }).delete).toMatchObject([{ name: job.metadata.name }]);
    expect(plan(edited).apply[0]?.object.metadata.name).toBe(job.metadata.name);
  });

  test("is made again when the store has lost its version, once", () => {
    const job = lookOf(dataset(), complete);
    const { status } = plan(dataset(), { jobs: [job], versions: 1 });
    const lost = { ...dataset(), status } as Dataset;
    expect(plan(lost, { jobs: [job] }).delete).toMatchObject([{ name: job.metadata.name }]);
    const begun = plan(lost);
    expect(begun.apply).toHaveLength(1);
    const told = { ...lost, status: begun.status } as Dataset;
    expect(told.status).not.toHaveProperty("version");
    const again = made(begun.apply[0]?.object as Job, complete);
    expect(plan(told, { jobs: [again] })).toMatchObject({ apply: [], delete: [] });
  });
});

describe("how far a reading has come", () => {
  const progress = { phase: "Reading" as const, bytes: 2 ** 30, totalBytes: 2 ** 31, rows: 12_000_000 };
  const found = { ...datasetRecord(0), progress };

  test("is told and asked for while its Job runs", () => {
    const observed = observedDataset({ jobs: [lookOf(dataset())], record: { found } });
    const planned = planDataset(observed, settings, start);
    expect(planned.status.progress).toBe("Reading 1.0 GiB of 2.0 GiB, 12 million rows");
    expect(planned.outcome).toEqual({ kind: "waiting", requeueAfterMs: 5_050 });
  });

  test("and no longer", () => {
    const observed = observedDataset({ jobs: [lookOf(dataset(), complete)], record: { found } });
    const planned = planDataset(observed, settings, start);
    expect(planned.status).not.toHaveProperty("progress");
    expect(planned.outcome).toEqual({ kind: "settled" });
  });
});

test("a pod that can't start is told, while it is tried", () => {
  const subject = dataset();
  const job = lookOf(subject);
  const pods = [pod(job.metadata.name, waiting("snapshot", "ImagePullBackOff", "no such image"))];
  const planned = plan(subject, { jobs: [job], pods });
  expect(readyOf(planned)).toMatchObject({
    reason: "ImagePullFailed",
    message: expect.stringContaining("no such image"),
  });
});

test("a schedule that is none is named, and nothing is read", () => {
  const planned = plan(dataset({ schedule: "61 * * * *" }));
  expect(planned).toMatchObject({ apply: [], outcome: { kind: "stalled" } });
  expect(readyOf(planned)).toMatchObject({
    reason: "InvalidSchedule",
    message: expect.stringContaining("spec.schedule"),
  });
});
