import { describe, expect, test } from "vitest";
import { model, namespace, readyDataset, start, trainingJob } from "../../../test/builders/kinds.ts";
import { nothingTrained } from "../../../test/builders/observed.ts";
import { runRecord } from "../../../test/builders/records.ts";
import { settings } from "../../../test/builders/settings.ts";
import { made, running } from "../../../test/builders/workloads.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { Job } from "../children/types.ts";
import type { ObservedTrainingJob } from "./observe.ts";
import { planTrainingJob } from "./plan.ts";
import { runOf } from "./run.ts";

const localQueue = { apiVersion: "kueue.x-k8s.io/v1beta2", kind: "LocalQueue", metadata: { name: "team", namespace } };
const there = { present: new Set(["localQueues"] as const), localQueue };
const queued = trainingJob({ queueName: "team" });

function plan(subject = queued, situation: Partial<ObservedTrainingJob> = {}) {
  const data = { model: model(), datasets: new Map([["wine", readyDataset()]]) };
  return planTrainingJob({ ...nothingTrained, trainingJob: subject, ...data, ...situation }, settings, start);
}
/** The run's Job as it is made, and then as Kueue has left it. */
function jobOf(spec: object = {}, subject = queued): Job {
  const job = made(plan(subject, there).apply[0]?.object as KubeObject, {});
  return { ...job, spec: { ...job.spec, ...spec } };
}
const admitted = made(jobOf({ suspend: false }), running);
const readyOf = (planned: ReturnType<typeof plan>) => planned.status.conditions?.[0];

describe("a run of a queue", () => {
  test.each<[string, Partial<ObservedTrainingJob>, RegExp]>([
    ["KueueNotFound", {}, /needs Kueue.*until then nothing runs/],
    ["QueueNotFound", { ...there, localQueue: undefined }, /LocalQueue team does not exist/],
  ])("waits with %s, and nothing runs outside the quota", (reason, situation, says) => {
    const planned = plan(queued, situation);
    expect(planned).toMatchObject({ apply: [], delete: [], outcome: { kind: "waiting" } });
    expect(readyOf(planned)).toMatchObject({ status: "False", reason, message: expect.stringMatching(says) });
    expect(readyOf(plan(queued, { ...situation, jobs: [jobOf()] }))).toMatchObject({ reason });
  });

  test("has its data kept for the time when its turn has come, from the moment that it is made", () => {
    const { digest } = readyDataset().status ?? {};
    const path = `namespaces/${namespace}/datasets/wine/versions/${digest}/use`;
    expect(plan(queued, there).records).toEqual([{ method: "PUT", path, body: {} }]);
    expect(plan(queued, { ...there, jobs: [jobOf()] }).records).toEqual([]);
    expect(plan(trainingJob()).records).toEqual([]);
  });

  test("is made suspended with the queue's label, once", () => {
    const [child] = plan(queued, there).apply;
    const labels = { "kueue.x-k8s.io/queue-name": "team", "lemnis.dev/trainingjob": "wine" };
    expect(child).toMatchObject({ once: true, object: { metadata: { labels }, spec: { suspend: true } } });
    expect(plan(trainingJob(), {}).apply[0]?.object).not.toHaveProperty("spec.suspend");
  });

  test("is Queued until Kueue admits it, and again when Kueue takes its place away", () => {
    const planned = plan(queued, { ...there, jobs: [jobOf()] });
    expect(planned).toMatchObject({ apply: [], delete: [], status: { run: { phase: "Queued" } } });
    expect(readyOf(planned)).toMatchObject({ reason: "Queued", message: expect.stringContaining("LocalQueue team") });
    const after = plan(queued, { ...there, jobs: [admitted] });
    expect(after).toMatchObject({ apply: [], delete: [], status: { run: { phase: "Pending" } } });
    expect(readyOf(after)).toMatchObject({ reason: "Training" });
    expect(after.events).toMatchObject([{ reason: "RunStarted" }]);
  });

  test("that succeeded stays so when the queue has gone", () => {
    const { digest = "", ...spec } = runOf(admitted) ?? {};
    const record = { found: { runs: [runRecord(digest, spec)] } };
    expect(readyOf(plan(queued, { record }))).toMatchObject({ status: "True", reason: "RunSucceeded" });
  });
});

describe("another queueName", () => {
  const other = trainingJob({ queueName: "night" });
  test("moves a run that waits, by a Job of its own", () => {
    expect(plan(other, { ...there, jobs: [jobOf()] })).toMatchObject({
      apply: [],
      delete: [{ name: jobOf().metadata.name }],
    });
    expect(plan(trainingJob(), { jobs: [jobOf()] }).delete).toHaveLength(1);
  });
  test("leaves a run alone that has been admitted, and makes no other of it", () => {
    expect(plan(other, { ...there, jobs: [admitted] })).toMatchObject({ apply: [], delete: [] });
    expect(jobOf({}, other).metadata.name).toBe(jobOf().metadata.name);
  });
});
