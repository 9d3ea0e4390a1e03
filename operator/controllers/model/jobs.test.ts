import { describe, expect, test } from "vitest";
import { digestOf, model } from "../../../test/builders/kinds.ts";
import { evaluationJob, plan, readyOf } from "../../../test/builders/model.ts";
import { decision, evaluation, modelRecord, modelVersion } from "../../../test/builders/records.ts";
import { complete, failed, made, pod, told } from "../../../test/builders/workloads.ts";
import type { Job } from "../children/types.ts";
import { gatesDigest } from "./gates.ts";
import { subjectOf } from "./jobs.ts";

describe("imports", () => {
  const digest = digestOf("import");
  const subject = model({ imports: [{ uri: "s3://models/a.joblib", digest }] });

  test("are read once", () => {
    const planned = plan(subject, modelRecord([]));
    expect(subjectOf(planned.apply[0]?.object as Job)).toEqual({ kind: "import", digest });
    expect(readyOf(planned)).toMatchObject({ reason: "Importing" });
    const known = modelRecord([
      modelVersion(1, {
        source: { uri: "s3://models/a.joblib", digest },
        decision: decision("Passed", gatesDigest([])),
      }),
    ]);
    expect(plan(subject, known).apply).toEqual([]);
  });

  const job = made(plan(subject, modelRecord([])).apply[0]?.object as Job, failed);
  const broken = [pod(job.metadata.name, told("import", "DigestMismatch", "has another digest"))];

  test("that fail stall with the reason", () => {
    const planned = plan(subject, modelRecord([]), { jobs: [job], pods: broken });
    expect(planned).toMatchObject({ delete: [], outcome: { kind: "stalled" } });
    expect(readyOf(planned)).toMatchObject({
      reason: "ImportFailed",
      message: `spec.imports s3://models/a.joblib: has another digest. Correct it, or delete Job ${job.metadata.name} to try the same again`,
    });
  });

  test("that fail for a passing reason are waited for, and tried again", () => {
    const pods = [pod(job.metadata.name, told("import", "SourceUnreachable", "no answer", 1))];
    const planned = plan(subject, modelRecord([]), { jobs: [job], pods });
    expect(planned.outcome).toMatchObject({ kind: "waiting", requeueAfterMs: expect.any(Number) });
    expect(planned.status?.conditions?.map(({ type }) => type)).toEqual(["Ready", "Reconciling"]);
  });

  test("that failed are tried again with what the manifest says now", () => {
    const corrected = model({ imports: [{ uri: "s3://models/b.joblib", digest }] });
    corrected.metadata.generation = 2;
    const planned = plan(corrected, modelRecord([]), { jobs: [job], pods: broken });
    expect(planned.delete).toMatchObject([{ name: job.metadata.name }]);
    const running = made(plan(subject, modelRecord([])).apply[0]?.object as Job);
    expect(plan(corrected, modelRecord([]), { jobs: [running] }).delete).toEqual([]);
  });
});

test("evaluation Jobs of versions long decided are removed, the newest ones' are kept", () => {
  const decided = (version: number) => modelVersion(version, { decision: decision("Passed", gatesDigest([])) });
  const jobs = [1, 2, 3, 4, 5].map((version) => {
    const record = modelRecord([modelVersion(version)]);
    return evaluationJob(model(), record, complete);
  });
  const versions = jobs.map((job, index) => ({
    ...decided(index + 1),
    evaluations: [evaluation(subjectOf(job)?.digest ?? "", {})],
  }));
  const planned = plan(model(), modelRecord(versions, { champion: 5 }), { jobs });
  expect(planned.delete.map(({ name }) => name)).toEqual([jobs[0], jobs[1]].map((job) => job?.metadata.name));
});
