import { describe, expect, test } from "vitest";
import { digestOf, model, namespace, readyDataset, start, trainingJob } from "../../../test/builders/kinds.ts";
import { nothingTrained } from "../../../test/builders/observed.ts";
import { settings } from "../../../test/builders/settings.ts";
import { made, running } from "../../../test/builders/workloads.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { Code } from "./code.ts";
import { type GitRepository, gitCode, trimGitRepository } from "./git-code.ts";
import { planTrainingJob } from "./plan.ts";
import { runOf } from "./run.ts";

const hash = "4f1c8a8d0f0e0d0c0b0a09080706050403020100";
const url = "http://source-controller.flux-system.svc.cluster.local./gitrepository/team-a/code/4f1c.tar.gz";
const artifact = { url, digest: digestOf("artifact"), revision: `main@sha1:${hash}`, path: "x", size: 3 };

function repository(status: object = {}, generation = 1): GitRepository {
  const metadata = { name: "code", namespace, generation, labels: { a: "b" } };
  const whole = { observedGeneration: 1, artifact, observedIgnore: "x", ...status };
  const object = { apiVersion: "source.toolkit.fluxcd.io/v1", kind: "GitRepository", metadata, status: whole };
  return trimGitRepository(object as GitRepository);
}
const code = (seen: GitRepository | undefined, path?: string) =>
  gitCode({ name: "code", path }, { flux: true, repository: seen });

test("of a GitRepository the artifact is kept, and why there is none", () => {
  const ready = { type: "Ready", status: "False", reason: "x", message: "authentication required" };
  expect(repository({ conditions: [ready, { type: "Other", status: "True" }] })).toEqual({
    ...{ apiVersion: "source.toolkit.fluxcd.io/v1", kind: "GitRepository" },
    metadata: { name: "code", namespace, generation: 1, uid: undefined, resourceVersion: undefined },
    status: {
      observedGeneration: 1,
      artifact: { url, digest: artifact.digest, revision: artifact.revision },
      conditions: [{ type: "Ready", status: "False", message: "authentication required" }],
    },
  });
});

describe("what is missing is waited for", () => {
  const failing = { artifact: undefined, conditions: [{ type: "Ready", status: "False", message: "bad credentials" }] };
  test.each<[string, RegExp, GitRepository | undefined]>([
    ["CodeNotFound", /GitRepository code does not exist/, undefined],
    ["CodeNotReady", /GitRepository code: Flux has not fetched it yet/, repository({ artifact: undefined })],
    ["CodeNotReady", /bad credentials/, repository(failing)],
    ["CodeNotReady", /Flux has not fetched/, repository({}, 2)],
    ["CodeNotReady", /artifact-digest-algo to sha256/, repository({ artifact: { ...artifact, digest: "blake3:ab" } })],
    ...["http://169.254.169.254/x", "ftp://a.b.svc/x", "http://a.b.svc.evil@host/x", "not a url"].map(
      (odd) =>
        ["CodeNotReady", /is no Service of this cluster/, repository({ artifact: { ...artifact, url: odd } })] as [
          string,
          RegExp,
          GitRepository,
        ],
    ),
  ])("%s: %s", (reason, says, seen) => {
    expect(code(seen)).toMatchObject({ state: "waiting", reason, message: expect.stringMatching(says) });
  });

  test("FluxNotFound where the cluster has no Flux", () => {
    const found = gitCode({ name: "code" }, { flux: false, repository: undefined });
    expect(found).toMatchObject({ reason: "FluxNotFound", message: expect.stringMatching(/install/) });
  });
});

describe("a commit", () => {
  test.each([
    [`main@sha1:${hash}`, hash],
    [`v1.2@sha256:${"ab".repeat(32)}`, "ab".repeat(32)],
    [`main/${hash}`, hash],
    ["odd", "odd"],
  ])("of %s is %s", (revision, commit) => {
    expect(code(repository({ artifact: { ...artifact, revision } }))).toMatchObject({ commit });
  });

  test("is the same code by the same files and folder, whatever its message and however the folder is written", () => {
    const digest = (seen: GitRepository, path?: string) => (code(seen, path) as Code).digest;
    const again = repository({ artifact: { ...artifact, revision: `main@sha1:${"0".repeat(40)}` } });
    expect(digest(again)).toBe(digest(repository()));
    expect(new Set(["train", "./train", "train/", "./train/"].map((path) => digest(repository(), path))).size).toBe(1);
    expect(digest(repository(), "train")).not.toBe(digest(repository()));
    expect(digest(repository(), "./")).toBe(digest(repository()));
    const other = repository({ artifact: { ...artifact, digest: digestOf("other") } });
    expect(digest(other)).not.toBe(digest(repository()));
  });
});

describe("a run of a commit", () => {
  const subject = trainingJob({ code: { gitRepositoryRef: { name: "code", path: "train" } } });
  const plan = (seen: GitRepository, jobs: KubeObject[] = []) => {
    const data = { model: model(), datasets: new Map([["wine", readyDataset()]]) };
    const observed = { ...nothingTrained, trainingJob: subject, ...data, jobs, code: code(seen, "train") };
    return planTrainingJob(observed, settings, start);
  };
  const job = made(plan(repository()).apply[0]?.object as KubeObject, running);

  test("names the commit, and stages the artifact's folder", () => {
    expect(runOf(job)).toMatchObject({ commit: hash, code: (code(repository(), "train") as Code).digest });
    expect(plan(repository(), [job]).status.run).toMatchObject({ commit: hash });
    const pod = JSON.stringify(job);
    expect(pod).toContain(JSON.stringify({ url, digest: artifact.digest, path: "train" }).replaceAll('"', '\\"'));
    expect(pod).not.toContain("code-source");
    expect(pod).toContain("/opt/ml/code");
  });

  test("is ended by a newer commit, and by none that changes no file", () => {
    const newer = repository({ artifact: { ...artifact, digest: digestOf("newer") } });
    expect(plan(newer, [job]).delete).toMatchObject([{ name: job.metadata.name }]);
    const empty = repository({ artifact: { ...artifact, revision: `main@sha1:${"1".repeat(40)}` } });
    expect(plan(empty, [job])).toMatchObject({ apply: [], delete: [] });
  });
});
