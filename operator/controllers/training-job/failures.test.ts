import { describe, expect, test } from "vitest";
import { trainingJob } from "../../../test/builders/kinds.ts";
import { jobOf, plan, readyOf, recordOf } from "../../../test/builders/training-job.ts";
import { ended, failed, pod, told } from "../../../test/builders/workloads.ts";
import { runOf } from "./run.ts";

describe("a run that failed", () => {
  const subject = trainingJob();
  const job = jobOf(subject, failed);

  test.each([
    ["ContainerFailed", ended("train", 1), /exited with code 1.*kubectl -n team-a logs/],
    ["OutOfMemory", ended("train", 137, { reason: "OOMKilled" }), /resources\.limits\.memory/],
    ["ModelMissing", told("publish", "ModelMissing", "write it to /opt/ml/model"), /write it to/],
  ])("stalls with %s, and is recorded in the store", (reason, container, says) => {
    const planned = plan(subject, { jobs: [job], pods: [pod(job.metadata.name, container)] });
    expect(planned).toMatchObject({
      apply: [],
      delete: [],
      outcome: { kind: "stalled" },
      status: { run: { phase: "Failed", reason } },
    });
    expect(readyOf(planned)).toMatchObject({ reason, message: expect.stringMatching(says) });
    expect(planned.records).toMatchObject([
      {
        method: "PUT",
        path: `namespaces/team-a/trainingjobs/wine/runs/${runOf(job)?.digest}`,
        body: { phase: "Failed", reason },
      },
    ]);
  });

  test("is recorded once", () => {
    const known = recordOf(job, { phase: "Failed", finishedAt: "2026-03-01T10:06:30.000Z" });
    expect(plan(subject, { jobs: [job], runs: [known] }).records).toEqual([]);
  });

  test("is tried again by itself where its inputs could not be fetched for a passing reason", () => {
    const pods = [pod(job.metadata.name, told("stage", "SourceUnreachable", "no answer", 1))];
    const planned = plan(subject, { jobs: [job], pods });
    expect(planned).toMatchObject({ delete: [], outcome: { kind: "waiting", requeueAfterMs: 570_050 } });
    const message = expect.stringMatching(/failed: no answer\. Next try at 2026-03-01T10:16:30/);
    expect(planned.status?.conditions).toMatchObject([
      { type: "Ready", status: "False", reason: "SourceUnreachable", message },
      { type: "Reconciling", status: "True" },
    ]);
    const past = {
      ...failed,
      conditions: [{ type: "Failed", status: "True", lastTransitionTime: "2026-03-01T09:00:00Z" }],
    };
    const due = jobOf(subject, past);
    expect(plan(subject, { jobs: [due], pods }).delete).toMatchObject([{ name: job.metadata.name }]);
    const trained = [pod(job.metadata.name, told("publish", "StoreUnavailable", "no answer", 1))];
    expect(plan(subject, { jobs: [due], pods: trained })).toMatchObject({ delete: [], outcome: { kind: "stalled" } });
  });

  test("is tried again when the manifest was edited, or its Job deleted", () => {
    const edited = trainingJob({ backoffLimit: 5 });
    edited.metadata.generation = 2;
    expect(plan(edited, { jobs: [job] }).delete).toMatchObject([{ name: job.metadata.name }]);
    expect(plan(subject, { runs: [recordOf(job, { phase: "Failed" })] }).apply).toHaveLength(1);
  });
});
