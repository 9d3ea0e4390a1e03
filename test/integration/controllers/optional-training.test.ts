/** TrainingJobs with Kueue and Flux, which come and go while the operator runs; the tests do what those controllers do. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { manifests, metadata, reason } from "./wine.ts";
import { type RunningOperator, resourceOf, runtimes, type Seen, startWorld, type World } from "./world.ts";

let world: World;
let operator: RunningOperator;
beforeAll(async () => {
  world = await startWorld();
  operator = await world.startOperator();
});
afterAll(() => world?.stop());

const messageOf = ({ status }: Seen): string => status.conditions[0].message;
const job = (spec: object) => ({ kind: "TrainingJob", metadata, spec: { modelRef: { name: "wine" }, ...spec } });
const until = (namespace: string, wanted: string) =>
  world.until(namespace, "TrainingJob", "wine", (object) => reason(object) === wanted);

test("a run waits for Kueue, for its queue and for its turn, and never runs outside the quota", async () => {
  const namespace = await world.makeNamespace("queued");
  await world.apply(namespace, ...runtimes, manifests.model, job({ queueName: "team" }));
  await until(namespace, "KueueNotFound");
  await world.install("LocalQueue");
  await until(namespace, "QueueNotFound");
  expect(await world.list(namespace, "Job")).toEqual([]);
  const queue = { kind: "LocalQueue", apiVersion: "kueue.x-k8s.io/v1beta2", metadata: { name: "team" } };
  await world.apply(namespace, { ...queue, spec: { clusterQueue: "all" } });
  const { status } = await until(namespace, "Queued");
  const made = await world.get(namespace, "Job", status.run.job);
  expect(made).toMatchObject({
    metadata: { labels: { "kueue.x-k8s.io/queue-name": "team" } },
    spec: { suspend: true },
  });
  // Kueue admits it, onto nodes of a flavor.
  const nodeSelector = { "cloud.example.com/flavor": "spot" };
  const admission = { suspend: false, template: { spec: { nodeSelector } } };
  const body = { apiVersion: "batch/v1", kind: "Job", metadata: { name: status.run.job, namespace }, spec: admission };
  await world.client.apply(resourceOf("Job"), body as Seen, { manager: "kueue" });
  await until(namespace, "RunSucceeded");
  const admitted = await world.get(namespace, "Job", status.run.job);
  expect(admitted.spec).toMatchObject({ suspend: false, template: { spec: { nodeSelector } } });
});

test("when Kueue goes what is done stays, and what is new waits without errors", async () => {
  const namespace = "queued";
  await world.uninstall("LocalQueue");
  expect(reason(await until(namespace, "RunSucceeded"))).toBe("RunSucceeded");
  await world.apply(namespace, job({ queueName: "team", parameters: { C: 2 } }));
  expect(messageOf(await until(namespace, "KueueNotFound"))).toMatch(/install it, or leave queueName out/);
  expect(Object.values(await operator.errors()).reduce((sum, count) => sum + count, 0)).toBeLessThan(5);
});

test("a run's code is the commit that Flux has, and another commit makes another run", async () => {
  const namespace = await world.makeNamespace("git");
  const code = { gitRepositoryRef: { name: "code", path: "train" } };
  await world.apply(namespace, ...runtimes, manifests.model, job({ code }));
  await until(namespace, "FluxNotFound");
  await world.install("GitRepository");
  await until(namespace, "CodeNotFound");
  const repository = { kind: "GitRepository", apiVersion: "source.toolkit.fluxcd.io/v1", metadata: { name: "code" } };
  await world.apply(namespace, { ...repository, spec: { interval: "1m", url: "https://git.example.com/code" } });
  await until(namespace, "CodeNotReady");
  const fetched = async (commit: string) => {
    const url = `http://source-controller.flux-system.svc.cluster.local./gitrepository/git/code/${commit}.tar.gz`;
    const digest = `sha256:${commit.repeat(64).slice(0, 64)}`;
    const revision = `main@sha1:${commit.repeat(40).slice(0, 40)}`;
    const artifact = { url, digest, revision, path: "x", lastUpdateTime: new Date().toISOString() };
    const status = { observedGeneration: 1, artifact };
    const body = { ...repository, metadata: { name: "code", namespace }, status };
    await world.client.apply(resourceOf("GitRepository"), body, { subresource: "status", manager: "flux" });
  };
  await fetched("a");
  const first = await until(namespace, "RunSucceeded");
  expect(first.status.run).toMatchObject({ trigger: "Spec", commit: "a".repeat(40) });
  await fetched("b");
  const second = await world.until(namespace, "TrainingJob", "wine", ({ status }) => status.runs?.length === 2);
  expect(second.status.runs.map(({ commit }: Seen) => commit[0]).sort()).toEqual(["a", "b"]);
  await world.uninstall("GitRepository");
  await until(namespace, "FluxNotFound");
  expect(Object.values(await operator.errors()).reduce((sum, count) => sum + count, 0)).toBeLessThan(5);
});
