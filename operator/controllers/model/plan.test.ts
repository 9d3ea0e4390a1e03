import { describe, expect, test } from "vitest";
import { model, readyDataset, servingRuntime } from "../../../test/builders/kinds.ts";
import { evaluationJob, plan, readyOf, type Situation } from "../../../test/builders/model.ts";
import { decision, evaluation, modelRecord, modelVersion } from "../../../test/builders/records.ts";
import { ended, failed, made, pod, told } from "../../../test/builders/workloads.ts";
import { type Model, modelStatus } from "../../api/v1alpha1/model.ts";
import type { Decision, ModelRecord } from "../../store/api.ts";
import type { Job } from "../children/types.ts";
import { gatesDigest } from "./gates.ts";
import { subjectOf } from "./jobs.ts";

const gated = (...gates: object[]) => model({ gates });
const accuracy = { metric: "accuracy", min: 0.9 };
const decisionOf = (planned: ReturnType<typeof plan>) =>
  planned.records?.find(({ path }) => path.endsWith("/decision"))?.body as Decision | undefined;
const aliasOf = (planned: ReturnType<typeof plan>, alias = "champion") =>
  planned.records?.find(({ path }) => path.endsWith(`/aliases/${alias}`))?.body;

/** A first version with the metrics that its evaluation in the serving runtime gave. */
function measured(subject: Model, metrics: Record<string, number>): ModelRecord {
  const open = modelRecord([modelVersion(1)]);
  const digest = subjectOf(evaluationJob(subject, open))?.digest ?? "";
  return modelRecord([modelVersion(1, { evaluations: [evaluation(digest, metrics)] })]);
}

describe("a version without a decision", () => {
  const open = modelRecord([modelVersion(1)]);

  test("is evaluated by one Job that runs the serving runtime", () => {
    const planned = plan(gated(accuracy), open);
    const [{ object } = { object: undefined }] = planned.apply;
    expect(object).toMatchObject({
      kind: "Job",
      spec: {
        template: {
          spec: {
            initContainers: [{ name: "stage" }, { name: "runtime", image: "serve:1", restartPolicy: "Always" }],
            containers: [{ name: "evaluate" }],
          },
        },
      },
    });
    expect(readyOf(planned)).toMatchObject({ status: "False", reason: "Evaluating" });
    expect(plan(gated(accuracy), open, { jobs: [evaluationJob(gated(accuracy), open)] }).apply).toEqual([]);
  });

  test.each<[string, Situation, RegExp]>([
    ["DatasetNotFound", { dataset: undefined }, /Dataset wine/],
    ["RuntimeNotFound", { runtimes: [] }, /no ServingRuntime lists the format sklearn/],
    [
      "LabelMissing",
      { dataset: { ...readyDataset(), status: { ...readyDataset().status, label: undefined } } },
      /role: Label/,
    ],
    [
      "SplitNotFound",
      { dataset: { ...readyDataset(), status: { ...readyDataset().status, splits: { all: 9 } } } },
      /it has all/,
    ],
  ])("waits: %s", (reason, situation, says) => {
    const planned = plan(gated(accuracy), open, situation);
    expect(planned).toMatchObject({ apply: [], records: [], outcome: { kind: "waiting" } });
    expect(readyOf(planned)).toMatchObject({ reason, message: expect.stringMatching(says) });
  });

  test("passes at once where the Model asks for no evaluation", () => {
    const planned = plan(model({ evaluation: undefined }), open);
    expect(decisionOf(planned)).toMatchObject({ verdict: "Passed" });
    expect(aliasOf(planned)).toEqual({ version: 1 });
  });
});

describe("a decision", () => {
  test.each([
    ["Passed", [accuracy], { accuracy: 0.95 }, { version: 1 }],
    ["Failed", [accuracy], { accuracy: 0.5 }, undefined],
    ["Failed", [accuracy, { metric: "roc_auc", min: 0.5 }], { accuracy: 0.95 }, undefined],
    ["Passed", [{ metric: "accuracy", against: "champion" }], { accuracy: 0.1 }, { version: 1 }],
  ])("is %s by the gates, and moves the champion in the same plan", (verdict, gates, metrics, champion) => {
    const subject = gated(...gates);
    const planned = plan(subject, measured(subject, metrics));
    expect(decisionOf(planned)).toMatchObject({ verdict, gatesDigest: gatesDigest(subject.spec.gates ?? []) });
    expect(aliasOf(planned)).toEqual(champion);
    expect(planned.outcome).toEqual({ kind: "waiting", requeueAfterMs: 0 });
  });

  test("says why a version was refused, in status, condition and Event", () => {
    const subject = gated(accuracy);
    const planned = plan(subject, measured(subject, { accuracy: 0.5 }));
    const why = "accuracy 0.5 is below min 0.9";
    expect(planned.status?.versions).toMatchObject([
      { stage: "Failed", message: why, gates: [{ passed: false, message: why }] },
    ]);
    expect(planned.status?.conditions?.at(-1)).toMatchObject({ type: "CandidatePassed", status: "False" });
    expect(planned.events).toContainEqual({
      type: "Warning",
      reason: "GatesFailed",
      message: `version 1 failed: ${why}`,
    });
  });

  test("is Failed for a model that its runtime can't serve", () => {
    const subject = gated(accuracy);
    const open = modelRecord([modelVersion(1)]);
    const job = evaluationJob(subject, open, failed);
    const pods = [pod(job.metadata.name, told("evaluate", "PredictionFailed", "500: bad shape"))];
    const planned = plan(subject, open, { jobs: [job], pods });
    const refused = decisionOf(planned) as Decision;
    const message = "evaluation failed: 500: bad shape";
    expect(refused).toMatchObject({ verdict: "Failed", reason: "PredictionFailed", message });
    expect(readyOf(planned)).toMatchObject({ reason: "PredictionFailed" });
    expect(planned.events).toMatchObject([{ type: "Warning", reason: "PredictionFailed" }, { type: "Warning" }]);

    const decided = modelRecord([modelVersion(1, { decision: refused })]);
    expect(plan(subject, decided, { jobs: [job], pods })).toMatchObject({ apply: [], records: [] });
  });

  const otherServer = { ...servingRuntime.spec.container, image: "serve:2" };
  test.each<[string, object, Situation]>([
    [
      "its runtime is another",
      {},
      { runtimes: [{ ...servingRuntime, spec: { ...servingRuntime.spec, container: otherServer } }] },
    ],
    ["the runtime gets more", { resources: { limits: { memory: "4Gi" } } }, {}],
    ["the data is other data", {}, { dataset: readyDataset(2) }],
  ])("is taken anew for a version that could not be evaluated when %s", (_, evaluation, situation) => {
    const subject = gated(accuracy);
    const open = modelRecord([modelVersion(1)]);
    const job = evaluationJob(subject, open, failed);
    const pods = [pod(job.metadata.name, told("evaluate", "RuntimeUnavailable", "no answer"))];
    const refused = decisionOf(plan(subject, open, { jobs: [job], pods })) as Decision;
    const decided = modelRecord([modelVersion(1, { decision: refused })]);
    const mended = model({ ...subject.spec, evaluation: { ...subject.spec.evaluation, ...evaluation } });
    const planned = plan(mended, decided, { ...situation, jobs: [job], pods });
    expect(planned.apply).toMatchObject([{ object: { kind: "Job" } }]);
    const next = made(planned.apply[0]?.object as Job);
    expect(plan(mended, decided, { ...situation, jobs: [job, next], pods })).toMatchObject({ apply: [], delete: [] });
  });

  test("is Failed for a runtime that keeps ending while it loads the model, whose log is kept", () => {
    const subject = gated(accuracy);
    const open = modelRecord([modelVersion(1)]);
    const job = evaluationJob(subject, open);
    const runtime = { ...ended("runtime", 0), restartCount: 2, state: { waiting: { reason: "CrashLoopBackOff" } } };
    const crash = (lastState: object) => [pod(job.metadata.name, { ...runtime, lastState, started: false })];
    const pods = crash({ terminated: { exitCode: 0 } });
    const planned = plan(subject, open, { jobs: [job], pods });
    expect(decisionOf(planned)).toMatchObject({
      verdict: "Failed",
      message: expect.stringMatching(/runtime exited.*logs/),
    });
    const decided = modelRecord([modelVersion(1, { decision: decisionOf(planned) as Decision })]);
    expect(plan(subject, decided, { jobs: [job], pods }).delete).toEqual([]);
  });

  test("waits for the cluster where the failure is not the model's", () => {
    const subject = gated(accuracy);
    const open = modelRecord([modelVersion(1)]);
    const job = evaluationJob(subject, open, failed);
    const pods = [pod(job.metadata.name, told("evaluate", "StoreUnavailable", "no answer", 1))];
    const planned = plan(subject, open, { jobs: [job], pods });
    expect(decisionOf(planned)).toBeUndefined();
    expect(readyOf(planned)).toMatchObject({ reason: "StoreUnavailable" });
  });

  test("is taken anew for the newest version when the gates have changed", () => {
    const before = gated({ metric: "accuracy", min: 0.99 });
    const record = measured(before, { accuracy: 0.95 });
    const refused = decisionOf(plan(before, record));
    const [version] = record.versions;
    const after = modelRecord([{ ...version, decision: refused } as ModelRecord["versions"][0]]);
    expect(plan(before, after).records).toEqual([]);
    expect(decisionOf(plan(gated(accuracy), after))).toMatchObject({ verdict: "Passed" });
  });
});

describe("against the champion", () => {
  const subject = gated({ metric: "accuracy", against: "champion", minDelta: -0.01 });
  const passed = decision("Passed", gatesDigest(subject.spec.gates ?? []));

  /** Champion 1 and candidate 2, with the accuracies that they have on the candidate's data. */
  function duel(candidate: number, champion?: number): ReturnType<typeof plan> {
    const versions = [modelVersion(1, { decision: passed }), modelVersion(2)];
    for (const [index, value] of [candidate, champion].entries()) {
      if (value === undefined) break;
      const job = evaluationJob(subject, modelRecord(versions, { champion: 1 }));
      const about = subjectOf(job);
      const version = versions.find(({ version }) => about?.kind === "evaluation" && version === about.version);
      expect(version?.version).toBe(index === 0 ? 2 : 1);
      version?.evaluations.push(evaluation(about?.digest ?? "", { accuracy: value }));
    }
    return plan(subject, modelRecord(versions, { champion: 1 }));
  }

  test("the champion is evaluated on the candidate's data first", () => {
    const planned = duel(0.9);
    expect(decisionOf(planned)).toBeUndefined();
    expect(subjectOf(planned.apply[0]?.object as Job)).toMatchObject({ version: 1, datasetVersion: 1 });
  });

  test.each([
    [0.95, 0.9, "Passed", 2],
    [0.89, 0.9, "Passed", 2],
    [0.88, 0.9, "Failed", undefined],
  ])("%f against %f has %s", (candidate, champion, verdict, moved) => {
    const planned = duel(candidate, champion);
    expect(decisionOf(planned)).toMatchObject({ verdict });
    expect(aliasOf(planned)).toEqual(moved && { version: moved });
    expect(planned.status?.champion).toBe(moved ?? 1);
  });
});

test("a pin that can't be followed stalls, and the champion stays", () => {
  const passed = decision("Passed", gatesDigest([]));
  const record = modelRecord([modelVersion(1, { decision: passed })], { champion: 1 });
  const planned = plan(model({ aliases: { champion: 9 } }), record);
  expect(planned).toMatchObject({ records: [], status: { champion: 1 }, outcome: { kind: "stalled" } });
  expect(readyOf(planned)).toMatchObject({ status: "True", reason: "AliasInvalid" });
});

test("with promotion Manual a version that passed waits for the manifest", () => {
  const record = modelRecord([modelVersion(1, { decision: decision("Passed", gatesDigest([])) })]);
  const waiting = plan(model({ promotion: "Manual" }), record);
  expect(waiting.records).toEqual([]);
  expect(readyOf(waiting)).toMatchObject({ status: "False", reason: "AwaitingPromotion" });
  expect(aliasOf(plan(model({ promotion: "Manual", aliases: { champion: 1 } }), record))).toEqual({ version: 1 });
});

test("whatever imports say of themselves, the API server takes the status", () => {
  const uri = `https://host/${"x".repeat(2000)}`;
  const digests = Array.from({ length: 20 }, (_, index) => `sha256:${String(index).padStart(64, "0")}`);
  const record = modelRecord([modelVersion(1, { source: { uri, digest: digests[0] ?? "" } })]);
  const subject = model({ imports: digests.map((digest) => ({ uri, digest })) });
  const jobs = plan(subject, record).apply.map(({ object }) => made(object, failed));
  const { status } = plan(subject, record, { jobs, pods: [] });
  expect(modelStatus.safeParse(status).error).toBeUndefined();
  expect(status.conditions?.[0]?.reason).toBe("ImportFailed");
});
