/** The four controllers together, on a real API server: the loop, rest, restarts, drift, optional kinds. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { inReverse, kindsOfOurs, manifests, metadata, ready, reason } from "./wine.ts";
import { type RunningOperator, resourceOf, runtimes, startWorld, type World } from "./world.ts";

let world: World;
let operator: RunningOperator;

beforeAll(async () => {
  world = await startWorld();
  operator = await world.startOperator();
});
afterAll(() => world?.stop());

async function runLoop(namespace: string): Promise<void> {
  await world.makeNamespace(namespace);
  await world.apply(namespace, ...runtimes, ...inReverse);
  for (const kind of kindsOfOurs) await world.until(namespace, kind, "wine", ready);
}

/** Waits until nothing has been written for a second. */
async function settle(of: RunningOperator = operator): Promise<number> {
  for (let before = await of.writes(); ; ) {
    await sleep(1_000);
    const now = await of.writes();
    if (now === before) return now;
    before = now;
  }
}
const resourceVersions = async (namespace: string) =>
  (await Promise.all([...kindsOfOurs, "Job", "Deployment", "Service"].map((kind) => world.list(namespace, kind))))
    .flat()
    .map(({ kind, metadata: { name, resourceVersion } }) => `${kind}/${name}@${resourceVersion}`);

test("manifests in reverse order wait for each other, and become a service", async () => {
  await world.makeNamespace("reverse");
  await world.apply("reverse", ...runtimes, manifests.service);
  await world.until("reverse", "InferenceService", "wine", (object) => reason(object) === "ModelNotFound");
  await world.apply("reverse", manifests.model);
  await world.until("reverse", "InferenceService", "wine", (object) => reason(object) === "AliasNotFound");
  await world.apply("reverse", manifests.trainingJob);
  await world.until("reverse", "TrainingJob", "wine", (object) => reason(object) === "DatasetNotFound");
  await world.apply("reverse", manifests.dataset);
  const service = await world.until("reverse", "InferenceService", "wine", ready);
  expect(service.status).toMatchObject({ modelVersion: 1, url: "http://wine.reverse.svc" });
  expect(await world.get("reverse", "Model", "wine")).toMatchObject({ status: { champion: 1 } });
});

describe("at rest", () => {
  test("nothing is written, and an unchanged manifest changes nothing", async () => {
    const writes = await settle();
    const before = await resourceVersions("reverse");
    await world.apply("reverse", ...inReverse);
    await sleep(3_000);
    expect(await operator.writes()).toBe(writes);
    expect(await resourceVersions("reverse")).toEqual(before);
  });

  test("a restart of the operator writes nothing", async () => {
    await settle();
    const before = await resourceVersions("reverse");
    await operator.stop();
    operator = await world.startOperator();
    await vi.waitFor(async () => expect(await operator.isLeader()).toBe(true), { timeout: 20_000 });
    await sleep(2_000);
    expect(await operator.writes()).toBe(0);
    expect(await resourceVersions("reverse")).toEqual(before);
  });
});

test("new data makes the next champion; the old revision drains and goes", async () => {
  world.player.data.set("reverse", "more rows");
  const look = { "lemnis.dev/refresh": "more" };
  await world.apply("reverse", { ...manifests.dataset, metadata: { ...metadata, annotations: look } });
  const service = await world.until(
    "reverse",
    "InferenceService",
    "wine",
    ({ status }) => status.modelVersion === 2 && status.revisions.length === 1,
  );
  const deployments = await world.list("reverse", "Deployment");
  expect(deployments.map((deployment) => deployment.metadata.name)).toEqual([service.status.revisions[0].name]);
});

test("a candidate that fails its gate leaves champion and service as they are", async () => {
  world.player.accuracy = 0.5;
  world.player.data.set("reverse", "bad rows");
  const look = { "lemnis.dev/refresh": "bad" };
  await world.apply("reverse", { ...manifests.dataset, metadata: { ...metadata, annotations: look } });
  const model = await world.until("reverse", "Model", "wine", ({ status }) => status.versions[0].stage === "Failed");
  world.player.accuracy = 0.95;
  expect(model.status).toMatchObject({
    champion: 2,
    versions: [{ version: 3, message: "accuracy 0.5 is below min 0.9" }, {}, {}],
  });
  expect(await world.get("reverse", "InferenceService", "wine")).toMatchObject({ status: { modelVersion: 2 } });
  const events = (await world.list("reverse", "Event")).filter((event) => event.reason === "GatesFailed");
  expect(events).toMatchObject([{ type: "Warning", note: "version 3 failed: accuracy 0.5 is below min 0.9" }]);
});

describe("what others change or delete is put right", () => {
  test("a Service's selector, and a Deployment", async () => {
    const before = await world.get("reverse", "Service", "wine");
    const theirs = {
      kind: "Service",
      apiVersion: "v1",
      metadata,
      spec: { selector: { "lemnis.dev/workload": "elsewhere" } },
    };
    await world.apply("reverse", theirs);
    await world.until(
      "reverse",
      "Service",
      "wine",
      ({ spec }) => spec.selector["lemnis.dev/workload"] === before.spec.selector["lemnis.dev/workload"],
    );
    const [deployment] = await world.list("reverse", "Deployment");
    const { name = "", uid = "" } = deployment?.metadata ?? {};
    await world.client.delete(resourceOf("Deployment"), { namespace: "reverse", name, uid });
    await vi.waitFor(async () => expect((await world.get("reverse", "Deployment", name)).metadata.uid).not.toBe(uid), {
      timeout: 20_000,
    });
    await world.until("reverse", "InferenceService", "wine", ready);
  });
});

test("objects that are deleted and applied again get their status from the store, and nothing trains", async () => {
  await runLoop("again");
  const before = await world.get("again", "Model", "wine");
  for (const kind of kindsOfOurs) {
    const object = await world.get("again", kind, "wine");
    await world.client.delete(resourceOf(kind), { namespace: "again", name: "wine", uid: object.metadata.uid ?? "" });
  }
  // The garbage collector takes the children along.
  await vi.waitFor(
    async () => {
      const left = (
        await Promise.all(["Job", "Deployment", "Service"].map((kind) => world.list("again", kind)))
      ).flat();
      expect(left.map(({ metadata }) => metadata.name)).toEqual([]);
    },
    { timeout: 30_000, interval: 300 },
  );
  await world.apply("again", ...inReverse);
  for (const kind of kindsOfOurs) await world.until("again", kind, "wine", ready);
  const after = await world.get("again", "Model", "wine");
  expect(after.status.versions).toEqual(before.status.versions);
  const jobs = await world.list("again", "Job");
  expect(jobs.map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^wine-snapshot-/)]);
});

test("ServiceMonitors are made when their kind appears, without a restart", async () => {
  await world.install("ServiceMonitor");
  const monitor = await vi.waitFor(() => world.get("reverse", "ServiceMonitor", "wine"), {
    timeout: 30_000,
    interval: 300,
  });
  expect(monitor.spec.endpoints).toMatchObject([{ port: "metrics" }]);
});

test("of two operators one works; when it stops the other goes on", async () => {
  const second = await world.startOperator("lemnis-1");
  await settle();
  expect([await operator.isLeader(), await second.isLeader(), await second.writes()]).toEqual([true, false, 0]);
  await operator.stop();
  await vi.waitFor(async () => expect(await second.isLeader()).toBe(true), { timeout: 20_000 });
  world.player.data.set("again", "after the hand-over");
  await world.apply("again", {
    ...manifests.dataset,
    metadata: { ...metadata, annotations: { "lemnis.dev/refresh": "b" } },
  });
  await world.until(
    "again",
    "InferenceService",
    "wine",
    ({ status }) => status.modelVersion === 2 && status.revisions.length === 1,
  );
  await second.stop();
});
