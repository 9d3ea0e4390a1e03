import { describe, expect, test } from "vitest";
import { model, readyDataset } from "../../../test/builders/kinds.ts";
import { evaluationJob, plan, readyOf } from "../../../test/builders/model.ts";
import { decision, evaluation, modelRecord, modelVersion } from "../../../test/builders/records.ts";
import { failed, made, pod, running, taskIn, told } from "../../../test/builders/workloads.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { ModelRecord } from "../../store/api.ts";
import type { Job } from "../children/types.ts";
import { gatesDigest } from "./gates.ts";
import { subjectOf } from "./jobs.ts";

const accuracy = { metric: "accuracy", min: 0.9 };
const decisionOf = (planned: ReturnType<typeof plan>) =>
  planned.records?.find(({ path }) => path.endsWith("/decision"))?.body;
const open = (...versions: number[]) => modelRecord(versions.map((version) => modelVersion(version)));
const judgedOn = (name: string, version = 1) => {
  const dataset = readyDataset(version);
  return { ...dataset, metadata: { ...dataset.metadata, name } };
};

describe("a champion that could not be evaluated on the candidate's data", () => {
  const subject = model({ gates: [{ metric: "accuracy", against: "champion" }] });
  const passed = decision("Passed", gatesDigest(subject.spec.gates ?? []));
  const champion = modelVersion(1, { decision: passed });
  const record = (...evaluations: ReturnType<typeof evaluation>[]): ModelRecord =>
    modelRecord([champion, modelVersion(2, { evaluations })], { champion: 1 });
  const own = subjectOf(evaluationJob(subject, record()))?.digest ?? "";
  const measured = record(evaluation(own, { accuracy: 0.1 }));
  const job = evaluationJob(subject, measured, failed);
  const planAfter = (reason: string, exitCode: number) =>
    plan(subject, measured, { jobs: [job], pods: [pod(job.metadata.name, told("evaluate", reason, "why", exitCode))] });

  test.each([
    ["RuntimeUnavailable", 1],
    ["PredictionFailed", 1],
    ["DigestMismatch", 3],
  ])("as %s happened is waited for: the gate does not pass", (reason, exitCode) => {
    const planned = planAfter(reason, exitCode);
    expect(planned.records).toEqual([]);
    expect(readyOf(planned)).toMatchObject({ reason, message: expect.stringContaining(job.metadata.name) });
  });

  test("as it can't predict that data is no hurdle", () => {
    expect(decisionOf(planAfter("PredictionFailed", 3))).toMatchObject({ verdict: "Passed" });
  });
});

describe("when the manifest asks for another evaluation", () => {
  const subject = model({ gates: [accuracy] });
  const job = evaluationJob(subject, open(1), running);
  const about = subjectOf(job)?.digest ?? "";

  test("on another Dataset, the one under way ends, and its result decides nothing", () => {
    const ref = { name: "other", split: "test" };
    const edited = model({ gates: [accuracy], evaluation: { datasetRef: ref } });
    const situation = { jobs: [job], dataset: judgedOn("other", 2) };
    const planned = plan(edited, open(1), situation);
    expect(planned.delete).toMatchObject([{ name: job.metadata.name }]);
    expect(subjectOf(planned.apply[0]?.object as Job)).toMatchObject({ dataset: "other", datasetVersion: 2 });
    const told = modelRecord([modelVersion(1, { evaluations: [evaluation(about, { accuracy: 0.99 })] })]);
    expect(decisionOf(plan(edited, told, situation))).toBeUndefined();
  });

  test("on another Dataset of the same bytes, what was measured on the first does not count", () => {
    const told = modelRecord([modelVersion(1, { evaluations: [evaluation(about, { accuracy: 0.99 })] })]);
    const edited = model({ gates: [accuracy], evaluation: { datasetRef: { name: "other", split: "test" } } });
    const planned = plan(edited, told, { dataset: judgedOn("other") });
    expect(decisionOf(planned)).toBeUndefined();
    expect(subjectOf(planned.apply[0]?.object as Job)).toMatchObject({ dataset: "other", datasetVersion: 1 });
  });

  test("on the same bytes read in another way, by another label, it is made anew", () => {
    const told = modelRecord([modelVersion(1, { evaluations: [evaluation(about, { accuracy: 0.99 })] })]);
    expect(decisionOf(plan(subject, told))).toMatchObject({ verdict: "Passed" });
    const revised = { ...readyDataset(), status: { ...readyDataset().status, revision: 2 } } as Dataset;
    const planned = plan(subject, told, { dataset: revised });
    expect(decisionOf(planned)).toBeUndefined();
    expect(subjectOf(planned.apply[0]?.object as Job)).toMatchObject({ datasetVersion: 1, datasetRevision: 2 });
    expect(taskIn(planned.apply[0]?.object as Job)).toMatchObject({ datasetRevision: 2 });
    const next = made(planned.apply[0]?.object as Job, running);
    expect(plan(subject, told, { dataset: revised, jobs: [next] })).toMatchObject({ apply: [], delete: [] });
  });

  test("for another task, metrics of the task before do not count", () => {
    const told = modelRecord([modelVersion(1, { evaluations: [evaluation(about, { accuracy: 0.99 })] })]);
    const edited = model({ task: "Regression", gates: [{ metric: "r2", min: 0.5 }] });
    const planned = plan(edited, told);
    expect(decisionOf(planned)).toBeUndefined();
    expect(planned.apply).toHaveLength(1);
  });
});

describe("an evaluation that the cluster did not let end in time", () => {
  const subject = model({ gates: [accuracy] });
  const late = [
    { ...{ type: "Failed", status: "True", reason: "DeadlineExceeded" }, lastTransitionTime: "2026-03-01T10:06:30Z" },
  ];
  const job = evaluationJob(subject, open(1), { ...failed, conditions: late });

  test("is made again, and holds up no other version", () => {
    const alone = plan(subject, open(1), { jobs: [job] });
    expect(alone.outcome).toMatchObject({ kind: "waiting", requeueAfterMs: expect.any(Number) });
    expect(readyOf(alone)).toMatchObject({ reason: "DeadlineExceeded" });
    const planned = plan(subject, open(2, 1), { jobs: [job] });
    expect(subjectOf(planned.apply[0]?.object as Job)).toMatchObject({ version: 2 });
    const next = made(planned.apply[0]?.object as Job, running);
    expect(plan(subject, open(2, 1), { jobs: [job, next] })).toMatchObject({ apply: [], delete: [] });
  });
});

describe("of several versions, one that can't be evaluated holds up no other", () => {
  const subject = model({ gates: [accuracy] });
  const versionOf = (planned: ReturnType<typeof plan>) => subjectOf(planned.apply[0]?.object as Job);
  const job = evaluationJob(subject, open(1), failed);
  const failedBy = (reason: string, exitCode: number) => [
    pod(job.metadata.name, told("evaluate", reason, "why", exitCode)),
  ];

  test("when the data has moved on since: it is tried again after them", () => {
    const situation = { jobs: [job], pods: failedBy("LabelMissing", 3), dataset: readyDataset(2) };
    expect(versionOf(plan(subject, open(2, 1), situation))).toMatchObject({ version: 2, datasetVersion: 2 });
    expect(versionOf(plan(subject, open(1), situation))).toMatchObject({ version: 1, datasetVersion: 2 });
  });

  test("and is decided when the model is at fault, also when the data has moved on", () => {
    const planned = plan(subject, open(2, 1), {
      ...{ jobs: [job], pods: failedBy("PredictionFailed", 3), dataset: readyDataset(2) },
    });
    expect(decisionOf(planned)).toMatchObject({ verdict: "Failed", reason: "PredictionFailed" });
  });

  test("when no runtime lists its format", () => {
    const record = modelRecord([modelVersion(1, { format: "xgboost" }), modelVersion(2)]);
    expect(versionOf(plan(subject, record))).toMatchObject({ version: 2 });
    const alone = plan(subject, modelRecord([modelVersion(1, { format: "xgboost" })]));
    expect(readyOf(alone)).toMatchObject({ reason: "RuntimeNotFound" });
  });

  test("and few of its Jobs are kept, however often the data moves on", () => {
    let jobs = [job];
    for (let data = 2; data < 12; data++) {
      const situation = { pods: failedBy("LabelMissing", 3), dataset: readyDataset(data) };
      const planned = plan(subject, open(1), { ...situation, jobs });
      const next = made(planned.apply[0]?.object as Job, failed);
      next.metadata.creationTimestamp = `2026-03-01T10:${data + 10}:00Z`;
      jobs = [next, ...jobs.filter(({ metadata: { name } }) => planned.delete.every((gone) => gone.name !== name))];
    }
    expect(jobs.length).toBeLessThanOrEqual(4);
  });
});

test("a version that fails on each new data is decided once for each", () => {
  const subject = model({ gates: [accuracy] });
  const first = evaluationJob(subject, open(1), failed);
  let jobs = [first];
  let record = open(1);
  for (let data = 1; data < 5; data++) {
    const situation = {
      dataset: readyDataset(data),
      pods: [pod(first.metadata.name, told("evaluate", "PredictionFailed", "why"))],
    };
    const asked = plan(subject, record, { ...situation, jobs });
    if (asked.apply[0]) {
      jobs = [...jobs, made(asked.apply[0].object as Job, failed)];
    }
    const decided = decisionOf(plan(subject, record, { ...situation, jobs }));
    expect(decided).toMatchObject({ verdict: "Failed", reason: "PredictionFailed" });
    record = modelRecord([modelVersion(1, { decision: decided as ReturnType<typeof decision> })]);
    expect(plan(subject, record, { ...situation, jobs })).toMatchObject({ apply: [], records: [] });
  }
});

test("the status is the same in whatever order the Jobs are seen", () => {
  const subject = model({ gates: [accuracy] });
  const job = evaluationJob(subject, open(1), failed);
  const pods = [pod(job.metadata.name, told("evaluate", "LabelMissing", "why"))];
  const situation = { pods, dataset: readyDataset(2) };
  const next = made(plan(subject, open(1), { ...situation, jobs: [job] }).apply[0]?.object as Job, running);
  const [one, other] = [
    [job, next],
    [next, job],
  ].map((jobs) => plan(subject, open(1), { ...situation, jobs }));
  expect(one?.status).toEqual(other?.status);
  expect(one?.status.versions).toMatchObject([{ evaluatedOn: { version: 2 } }]);
  expect(one?.events).toMatchObject([{ reason: "EvaluationStarted" }]);
});

test("the failed Job of a version that is decided keeps its log", () => {
  const subject = model({ gates: [accuracy] });
  const past = [{ type: "Failed", status: "True", lastTransitionTime: "2026-03-01T09:00:00Z" }];
  const job = evaluationJob(subject, open(1), { ...failed, conditions: past });
  const pods = [pod(job.metadata.name, told("evaluate", "RuntimeUnavailable", "why", 1))];
  const refused = decisionOf(plan(subject, open(1), { jobs: [job], pods }));
  const decided = modelRecord([modelVersion(1, { decision: refused as ReturnType<typeof decision> })]);
  expect(plan(subject, decided, { jobs: [job], pods })).toMatchObject({ apply: [], delete: [] });
});
