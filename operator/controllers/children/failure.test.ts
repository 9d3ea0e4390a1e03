import { describe, expect, test } from "vitest";
import { ended, failed, made, pod, told, waiting } from "../../../test/builders/workloads.ts";
import { crashTrouble, jobFailure, retryAt, startTrouble } from "./failure.ts";

const job = made({ apiVersion: "batch/v1", kind: "Job", metadata: { name: "run", namespace: "team-a" } }, failed);

describe("what keeps a pod from starting", () => {
  test.each([
    ["ErrImagePull", "ImagePullFailed"],
    ["ImagePullBackOff", "ImagePullFailed"],
    ["InvalidImageName", "ImagePullFailed"],
    ["CreateContainerConfigError", "ContainerConfigInvalid"],
    ["RunContainerError", "ContainerConfigInvalid"],
  ])("%s is %s", (reason, told) => {
    const trouble = startTrouble([pod("run", waiting("train", reason, "because"))]);
    expect(trouble).toEqual({ reason: told, message: "container train can't start: because", retryable: true });
  });

  test("a pod that no node takes", () => {
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes fit" }];
    const unscheduled = { ...pod("run"), status: { phase: "Pending", conditions } };
    expect(startTrouble([unscheduled])).toMatchObject({ reason: "Unschedulable", message: "0/3 nodes fit" });
  });

  test("is nothing for a pod that only starts, or that is being deleted", () => {
    const stuck = pod("run", waiting("train", "ErrImagePull"));
    const leaving = { ...stuck, metadata: { ...stuck.metadata, deletionTimestamp: "2026-03-01T10:07:00Z" } };
    expect(startTrouble([pod("run", waiting("train", "PodInitializing")), leaving])).toBeUndefined();
  });
});

describe("why a Job failed", () => {
  test("is what a container of ours told, whatever else ended with it", () => {
    const pods = [pod("run", ended("runtime", 143), told("evaluate", "PredictionFailed", "500"))];
    expect(jobFailure(job, pods)).toEqual({
      ...{ reason: "PredictionFailed", message: "500", retryable: false },
      container: "evaluate",
    });
  });

  test.each([
    ["what a retry can mend", told("snapshot", "SourceUnreachable", "no answer", 1), true],
    ["what it can't", told("snapshot", "SourceInvalid", "ragged", 3), false],
    ["the user's own exit code", ended("train", 1), false],
    ["a message that is no JSON of ours", ended("train", 1, { message: '{"reason": "Anything"}' }), false],
  ])("is retryable or not: %s", (_, container, retryable) => {
    expect(jobFailure(job, [pod("run", container)])?.retryable).toBe(retryable);
  });

  test.each([
    ["train", /raise spec\.resources\.limits\.memory/],
    ["runtime", /of a Model spec\.evaluation\.resources/],
    ["features", /raise spec\.online\.resources/],
    ["evaluate", /fewer rows in the split/],
  ])("out of memory, says what can be done about %s", (name, says) => {
    const killed = ended(name, 137, { reason: "OOMKilled" });
    expect(jobFailure(job, [pod("run", killed)])?.message).toMatch(says);
  });

  test("is in its newest pod", () => {
    const old = pod("run", ended("train", 1));
    const newest = pod("run", ended("train", 137, { reason: "OOMKilled" }));
    newest.metadata.creationTimestamp = "2026-03-01T10:09:00Z";
    expect(jobFailure(job, [old, newest])?.reason).toBe("OutOfMemory");
  });

  test("is what kept its pod from starting, when its time was over", () => {
    const late = made(job, { conditions: [{ type: "Failed", status: "True", reason: "DeadlineExceeded" }] });
    expect(jobFailure(late, [])?.reason).toBe("DeadlineExceeded");
    expect(jobFailure(late, [pod("run", waiting("train", "ErrImagePull"))])?.reason).toBe("ImagePullFailed");
  });

  test("is told from the Job alone when its pods are gone", () => {
    expect(jobFailure(job, [])).toMatchObject({
      reason: "JobFailed",
      message: expect.stringContaining("BackoffLimitExceeded"),
    });
  });

  test("is nothing while it has not failed, and bounded when it is long", () => {
    expect(jobFailure(made(job, {}), [pod("run", ended("train", 1))])).toBeUndefined();
    const long = jobFailure(job, [pod("run", told("snapshot", "SourceInvalid", "x".repeat(1024)))]);
    expect(long?.message.length).toBeLessThanOrEqual(1024);
  });
});

test("a failure that may mend itself is due again ten minutes after it", () => {
  const retryable = [pod("run", told("snapshot", "SourceUnreachable", "no answer", 1))];
  expect(retryAt(job, retryable)).toEqual(new Date("2026-03-01T10:16:30Z"));
  expect(retryAt(job, [pod("run", told("snapshot", "SourceInvalid", "ragged"))])).toBeUndefined();
});

describe("a container that keeps ending", () => {
  const crash = (exitCode: number, changes: object = {}) =>
    pod("run", {
      ...{ name: "runtime", restartCount: 2, started: false },
      ...{
        state: waiting("runtime", "CrashLoopBackOff").state ?? {},
        lastState: ended("runtime", exitCode).state ?? {},
      },
      ...changes,
    });

  test.each([1, 0])("with code %i is trouble after the restarts that are allowed", (code) => {
    expect(crashTrouble([crash(code)], 2)).toMatchObject({ reason: "ContainerFailed" });
    expect(crashTrouble([crash(code)], 3)).toBeUndefined();
  });

  test("is none once it has started, or when it is an init container that is done", () => {
    expect(crashTrouble([crash(1, { started: true })], 2)).toBeUndefined();
    expect(crashTrouble([crash(1, { state: ended("stage", 0).state })], 2)).toBeUndefined();
  });
});
