import { describe, expect, test } from "vitest";
import { dataset, digestOf, readyDataset, trainingJob, trainingRuntime } from "../../../test/builders/kinds.ts";
import { jobOf, plan, readyOf, recordOf, type Situation } from "../../../test/builders/training-job.ts";
import {
  complete,
  completeAt,
  failedAt,
  made,
  pod,
  running,
  taskIn,
  waiting,
} from "../../../test/builders/workloads.ts";
import { finishedAt, isComplete, type Job } from "../children/types.ts";
import { runOf } from "./run.ts";

const dataVersion = (version: number): Situation => ({ datasets: new Map([["wine", readyDataset(version)]]) });

describe("what is missing is waited for, by name", () => {
  test.each<[string, Situation, object, RegExp]>([
    ["ModelNotFound", { model: undefined }, {}, /Model wine/],
    ["RuntimeNotFound", { runtimes: [] }, {}, /no TrainingRuntime lists the format sklearn/],
    ["RuntimeNotFound", {}, { runtimeRef: { name: "torch" } }, /torch does not exist; the cluster has: sklearn/],
    ["DatasetNotFound", { datasets: new Map() }, {}, /Dataset wine/],
    ["DatasetNotReady", { datasets: new Map([["wine", dataset()]]) }, {}, /Dataset wine has no version/],
    [
      "SplitNotFound",
      {},
      { inputs: [{ name: "a", datasetRef: { name: "wine", split: "dev" } }] },
      /it has train, test/,
    ],
    ["CodeNotReady", { code: { state: "waiting", reason: "CodeNotReady", message: "GitRepository code" } }, {}, /code/],
  ])("%s", (reason, situation, spec, says) => {
    const planned = plan(trainingJob(spec), situation);
    expect(planned).toMatchObject({ apply: [], outcome: { kind: "waiting" } });
    expect(readyOf(planned)).toMatchObject({ status: "False", reason, message: expect.stringMatching(says) });
  });
});

test("a parameter that is no scalar stalls, by name", () => {
  const planned = plan(trainingJob({ parameters: { C: 1, layers: [1, 2] } }));
  expect(planned).toMatchObject({ apply: [], outcome: { kind: "stalled" } });
  expect(readyOf(planned)).toMatchObject({ reason: "InvalidParameters", message: expect.stringContaining("layers") });
});

describe("a run", () => {
  test("starts once all is there, and only once", () => {
    const subject = trainingJob();
    const job = jobOf(subject);
    expect(plan(subject, { jobs: [job] })).toMatchObject({
      apply: [],
      delete: [],
      status: { run: { phase: "Pending" } },
    });
  });

  test("is named by its inputs, not by the order in which they are written", () => {
    const name = (parameters: object) => jobOf(trainingJob({ parameters })).metadata.name;
    expect(name({ C: 1, solver: "lbfgs" })).toBe(name({ solver: "lbfgs", C: 1 }));
    expect(name({ C: 1 })).not.toBe(name({ C: 2 }));
  });

  test.each<[string, object, Situation]>([
    ["other parameters", { parameters: { C: 2 } }, {}],
    ["another split", { inputs: [{ name: "train", datasetRef: { name: "wine", split: "test" } }] }, {}],
    [
      "another image",
      {},
      { runtimes: [{ ...trainingRuntime, spec: { ...trainingRuntime.spec, container: { image: "train:2" } } }] },
    ],
    ["other code", {}, { code: { digest: digestOf("code") } }],
    ["another Model", { modelRef: { name: "other" } }, {}],
  ])("is another with %s", (_, spec, situation) => {
    expect(jobOf(trainingJob(spec), running, situation).metadata.name).not.toBe(jobOf(trainingJob()).metadata.name);
  });

  test.each([
    ["resources", { resources: { limits: { cpu: 1 } } }],
    ["a deadline", { activeDeadlineSeconds: 60 }],
    ["history", { historyLimit: 2 }],
  ])("is the same with other %s", (_, spec) => {
    const known = recordOf(jobOf(trainingJob()));
    expect(plan(trainingJob(spec), { runs: [known] }).apply).toEqual([]);
  });

  test("that the store knows to have succeeded does not start again", () => {
    const run = recordOf(jobOf(trainingJob()), { metrics: { accuracy: 0.9 } });
    const planned = plan(trainingJob(), { runs: [run] });
    expect(planned).toMatchObject({
      apply: [],
      status: {
        run: { phase: "Succeeded", modelVersion: 1, metrics: { accuracy: 0.9 } },
        runs: [{ digest: run.digest }],
      },
      outcome: { kind: "settled" },
    });
    expect(readyOf(planned)).toMatchObject({ status: "True", reason: "RunSucceeded" });
  });

  test("whose Job is complete though the store knows nothing is made again", () => {
    const subject = trainingJob();
    const job = jobOf(subject, complete);
    expect(plan(subject, { jobs: [job] }).delete).toMatchObject([{ name: job.metadata.name }]);
    expect(plan(subject, { runs: [] }).apply).toHaveLength(1);
  });
});

describe("new data", () => {
  const follows = trainingJob({ triggers: { datasetChange: true } });
  const stays = trainingJob();

  test("starts a run where triggers.datasetChange is true", () => {
    const planned = plan(follows, { ...dataVersion(2), runs: [recordOf(jobOf(follows))] });
    expect(planned.apply).toHaveLength(1);
    expect(runOf(made(planned.apply[0]?.object as Job))).toMatchObject({
      trigger: "DatasetChange",
      inputs: [{ version: 2 }],
    });
  });

  test("starts none where it is not, even when the status is lost", () => {
    const planned = plan(stays, { ...dataVersion(2), runs: [recordOf(jobOf(stays))] });
    expect(planned.apply).toEqual([]);
    expect(planned.status).toMatchObject({ run: { inputs: [{ version: 1 }] } });
  });

  test("is also the same bytes read in another way, such as by another label", () => {
    const revised = readyDataset();
    const datasets = new Map([["wine", { ...revised, status: { ...revised.status, revision: 2 } } as typeof revised]]);
    const runs = [recordOf(jobOf(follows))];
    const planned = plan(follows, { datasets, runs });
    const job = made(planned.apply[0]?.object as Job);
    expect(runOf(job)?.inputs).toMatchObject([{ version: 1, revision: 2 }]);
    expect(taskIn(job, "stage")).toMatchObject({ inputs: [{ name: "train", revision: 2 }] });
    expect(plan(stays, { datasets, runs: [recordOf(jobOf(stays))] }).apply).toEqual([]);
  });

  test("waits until the run that is under way has ended", () => {
    const job = jobOf(follows);
    const during = plan(follows, { ...dataVersion(2), jobs: [job] });
    expect(during).toMatchObject({ apply: [], delete: [] });
    expect(during.status.run).toMatchObject({ job: job.metadata.name, digest: runOf(job)?.digest });
    const named = `run ${job.metadata.name.replace("wine-", "")}`;
    expect(readyOf(during)?.message).toBe(`${named} trains on wine version 1, the next on wine version 2`);
    expect(during.events).toMatchObject([{ reason: "RunStarted" }]);
    expect(plan({ ...follows, status: during.status }, { ...dataVersion(2), jobs: [job] }).events).toEqual([]);
    const after = plan(follows, { ...dataVersion(2), jobs: [made(job, complete)], runs: [recordOf(job)] });
    expect(after.apply).toHaveLength(1);
  });

  test("but new code ends it at once", () => {
    const job = jobOf(follows);
    const planned = plan(follows, { code: { digest: digestOf("new code") }, jobs: [job] });
    expect(planned.delete).toMatchObject([{ name: job.metadata.name }]);
    expect(planned.apply).toHaveLength(1);
  });
});

test("suspend ends the run that is under way and starts none", () => {
  const job = jobOf(trainingJob());
  const suspended = trainingJob({ suspend: true });
  expect(plan(suspended, { jobs: [job] }).delete).toMatchObject([{ name: job.metadata.name }]);
  const planned = plan(suspended);
  expect(planned.apply).toEqual([]);
  expect(readyOf(planned)).toMatchObject({ status: "False", reason: "Suspended" });
});

describe("a TrainingJob that no longer follows new data", () => {
  const follows = trainingJob({ triggers: { datasetChange: true } });
  const stays = trainingJob({ triggers: { datasetChange: false } });
  /** The Job of the run on this version of the data, and when it was made and ended. */
  const jobOn = (version: number, status: Job["status"]): Job => {
    const job = jobOf(follows, status, dataVersion(version));
    return { ...job, metadata: { ...job.metadata, creationTimestamp: `2026-03-01T10:0${version}:00Z` } };
  };
  const well = (version: number) => jobOn(version, completeAt(`2026-03-01T10:0${version}:30Z`));
  const badly = (version: number) => jobOn(version, failedAt(`2026-03-01T10:0${version}:30Z`));

  test.each<[string, Job[], number]>([
    ["the newest that succeeded", [well(1), well(2)], 2],
    ["the one that succeeded, before newer failures", [well(1), badly(2)], 1],
    ["the newest failure, where none succeeded", [badly(1), badly(2)], 2],
    ["the one that is under way, before all others", [well(1), badly(2), jobOn(3, running)], 3],
  ])("stays with %s, in whatever order its Jobs are seen", (_, jobs, version) => {
    const runs = jobs.filter(isComplete).map((job) => recordOf(job, { finishedAt: `${finishedAt(job)}` }));
    for (const seen of [jobs, [...jobs].reverse()]) {
      const planned = plan(stays, { ...dataVersion(4), jobs: seen, runs });
      expect(planned.status.run?.inputs).toMatchObject([{ version }]);
      expect(planned).toMatchObject({ apply: [], delete: [] });
    }
  });
});

describe("while something that the next run needs is missing", () => {
  const missing: Situation = { model: undefined };
  const [going, ended] = [jobOf(trainingJob()), jobOf(trainingJob(), complete)];

  test("a run that is under way goes on, and is told", () => {
    const planned = plan(trainingJob(), { ...missing, jobs: [ended, going] });
    expect(planned).toMatchObject({ delete: [], status: { run: { job: going.metadata.name, phase: "Pending" } } });
    expect(readyOf(planned)).toMatchObject({ reason: "ModelNotFound" });
  });

  test("suspend ends it all the same, and leaves those that have ended", () => {
    const planned = plan(trainingJob({ suspend: true }), { ...missing, jobs: [going] });
    expect(planned.delete).toMatchObject([{ name: going.metadata.name }]);
    expect(plan(trainingJob({ suspend: true }), { ...missing, jobs: [ended] }).delete).toEqual([]);
  });
});

test("an image that can't be pulled is told while the Job tries", () => {
  const job = jobOf(trainingJob());
  const pods = [pod(job.metadata.name, waiting("train", "ErrImagePull", "not found"))];
  expect(readyOf(plan(trainingJob(), { jobs: [job], pods }))).toMatchObject({ reason: "ImagePullFailed" });
});

test("historyLimit keeps that many ended Jobs, the newest", () => {
  const subject = trainingJob({ historyLimit: 2 });
  const job = jobOf(subject, complete);
  const old = [1, 2, 3].map((index) => {
    const other = jobOf(trainingJob({ parameters: { index } }), {
      ...complete,
      completionTime: `2026-03-01T09:0${index}:00Z`,
    });
    return other;
  });
  const planned = plan(subject, { jobs: [job, ...old], runs: [recordOf(job)] });
  expect(planned.delete.map(({ name }) => name).sort()).toEqual(
    [old[0], old[1]].map((other) => other?.metadata.name).sort(),
  );
});
