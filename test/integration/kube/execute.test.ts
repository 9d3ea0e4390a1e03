/** Plans carried out on a real API server, by the loop that the operator runs. */
import { KubeConfig } from "@kubernetes/client-node";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { KubeClient } from "../../../operator/kube/client.ts";
import { EventRecorder } from "../../../operator/kube/events.ts";
import { Reflector } from "../../../operator/kube/reflector.ts";
import { configMaps, events } from "../../../operator/kube/resources.ts";
import type { KubeObject } from "../../../operator/kube/types.ts";
import { Answers } from "../../../operator/runtime/answers.ts";
import { runController } from "../../../operator/runtime/controller.ts";
import { execute } from "../../../operator/runtime/execute.ts";
import { createMetrics } from "../../../operator/runtime/metrics.ts";
import type { Plan } from "../../../operator/runtime/plan.ts";
import { WorkQueue } from "../../../operator/runtime/queue.ts";
import { noWait } from "../../builders/loop.ts";
import { configMap, defineThings, namespace, startWorld, type Thing, thing, things, type World } from "./world.ts";

let world: World;
let queue: WorkQueue;
let metrics: ReturnType<typeof createMetrics>;
let eventErrors: unknown[];
let stop: AbortController;
let running: Promise<unknown>[];

const patience = { timeout: 20_000, interval: 50 };
const read = (name: string) => world.client.get<Thing>(things, namespace, name);
async function make(name: string): Promise<Thing> {
  await world.client.apply(things, thing(name));
  return read(name);
}

beforeAll(async () => {
  world = await startWorld();
  await defineThings(world.client);
  await vi.waitFor(() => world.client.list(things, {}), patience);
});
afterAll(() => world.stop());
beforeEach(() => {
  queue = new WorkQueue();
  metrics = createMetrics(new Registry());
  eventErrors = [];
  running = [];
  stop = new AbortController();
});
afterEach(async () => {
  queue.close();
  stop.abort();
  await Promise.all(running);
});

function recorder(client: KubeClient): EventRecorder {
  return new EventRecorder(client, {
    instance: "test",
    now: () => new Date(),
    onError: (error) => eventErrors.push(error),
  });
}

/** A child, a status that tells of it, and an event. */
function plan({ metadata, spec }: Thing, message = "made"): Plan<object> {
  const child = configMap(metadata.name, { spec: JSON.stringify(spec ?? {}) });
  const { uid = "" } = metadata;
  const owner = { apiVersion: "example.com/v1", kind: "Thing", name: metadata.name, uid, controller: true };
  return {
    apply: [{ resource: configMaps, object: { ...child, metadata: { ...child.metadata, ownerReferences: [owner] } } }],
    delete: [],
    status: { made: metadata.name, seen: spec },
    events: [{ type: "Normal", reason: "Made", message }],
    outcome: { kind: "settled" },
  };
}

/** The loop of the things, as the operator has it. */
async function runThings(recorded = recorder(world.client), message?: string): Promise<void> {
  const children = new Reflector<KubeObject>(world.client, configMaps, {
    onChange: ({ object }) => queue.add(object.metadata.name, "change"),
  });
  const objects = new Reflector<Thing>(world.client, things, {
    onChange: ({ object }) => queue.add(object.metadata.name),
  });
  const cacheOf = (plural: string) => (plural === things.plural ? objects : children).cache;
  const observed = (plural: string, name: string) => cacheOf(plural).get(namespace, name);
  const executor = {
    ...{ client: world.client, events: recorded, record: async () => {} },
    observed: ({ plural }: { plural: string }, _: string, name: string) => observed(plural, name),
    isFresh: () => true,
    turn: noWait,
    answers: new Answers(),
  };
  running.push(objects.run(stop.signal), children.run(stop.signal));
  await Promise.all([objects.whenSynced, children.whenSynced]);
  running.push(
    runController({
      ...{ name: "thing", queue, workers: 4, logger: pino({ level: "silent" }), metrics },
      hasEcho: ({ resource, name, resourceVersion = "" }) =>
        BigInt(observed(resource.plural, name)?.metadata.resourceVersion ?? 0) >= BigInt(resourceVersion),
      onLate: () => {},
      reconcile: async (name, { statusDue }) => {
        const object = objects.cache.get(namespace, name);
        if (!object) return undefined;
        const decided = plan(object, message);
        const subject = { object, resource: things, statusDue };
        return { outcome: decided.outcome, ...(await execute(executor, subject, decided)) };
      },
    }),
  );
}

const count = async (metric: { get(): Promise<{ values: { value: number; labels: object }[] }> }) =>
  (await metric.get()).values.map(({ value, labels }) => ({ ...labels, value }));
const writes = () => (world.calls.apply ?? 0) + (world.calls.create ?? 0) + (world.calls.delete ?? 0);

describe("the loop", () => {
  test("makes what is wanted, and at rest, after an edit, a resync and a restart, writes nothing more", async () => {
    await world.client.apply(things, thing("quiet", { size: 1 }));
    await runThings();
    await vi.waitFor(
      async () => expect((await read("quiet")).status).toEqual({ made: "quiet", seen: { size: 1 } }),
      patience,
    );
    await world.client.apply(things, thing("quiet", { size: 2 }));
    await vi.waitFor(
      async () => expect((await read("quiet")).status).toEqual({ made: "quiet", seen: { size: 2 } }),
      patience,
    );
    const child = await world.client.get(configMaps, namespace, "quiet");
    expect(child).toMatchObject({ data: { spec: '{"size":2}' } });
    await vi.waitFor(() => expect(queue.depth).toBe(0), patience);
    const before = writes();
    const done = async () => (await count(metrics.reconciles)).reduce((sum, { value }) => sum + value, 0);
    const reconciled = await done();
    queue.add("quiet", "change");
    await vi.waitFor(async () => expect(await done()).toBeGreaterThan(reconciled), patience);
    queue.close();
    queue = new WorkQueue();
    metrics = createMetrics(new Registry());
    await runThings();
    await vi.waitFor(async () => expect(await done()).toBeGreaterThan(0), patience);
    expect(writes()).toBe(before);
  });

  test("whose events are refused, or their server is away, goes on", async () => {
    const config = new KubeConfig();
    config.loadFromFile(world.plane.kubeconfig);
    config.users = config.users.map((user) => ({ ...user, impersonateUser: "nobody" }));
    const refused = new KubeClient(config);
    await world.client.apply(things, thing("unheard"));
    await runThings(recorder(refused));
    await vi.waitFor(async () => expect((await read("unheard")).status).toMatchObject({ made: "unheard" }), patience);
    await vi.waitFor(() => expect(eventErrors).not.toEqual([]), patience);
    expect(eventErrors[0]).toMatchObject({ status: 403 });
    expect(await count(metrics.errors)).toEqual([]);
    expect(await count(metrics.reconciles)).toMatchObject([{ result: "settled" }]);
    await refused.close();
  });
});

describe("a status", () => {
  const executor = () => ({
    ...{ client: world.client, events: recorder(world.client), record: async () => {} },
    observed: () => undefined,
    isFresh: () => true,
    turn: noWait,
    answers: new Answers(),
  });

  test("is written by its own manager, beside others' fields, and loses what is no longer in it", async () => {
    const made = await make("managed");
    const others = { ...thing("managed"), status: { theirs: 1 } };
    await world.client.apply(things, others, { subresource: "status", manager: "someone" });
    const none = { ...plan(made), apply: [], events: [] };
    await execute(executor(), { object: await read("managed"), resource: things }, { ...none, status: { a: 1, b: 2 } });
    await execute(executor(), { object: await read("managed"), resource: things }, { ...none, status: { a: 1 } });
    const { status, metadata } = await read("managed");
    expect(status).toEqual({ a: 1, theirs: 1 });
    const managers = (metadata as { managedFields?: { manager: string; subresource?: string }[] }).managedFields;
    expect(managers?.map(({ manager, subresource }) => `${manager} ${subresource}`).sort()).toEqual([
      "lemnis undefined",
      "lemnis-status status",
      "someone status",
    ]);
  });

  test("does not bring back an object that was deleted, nor reach another of its name", async () => {
    const old = await make("again");
    await world.client.delete(things, { namespace, name: "again", uid: old.metadata.uid ?? "" });
    const late = { ...plan(old), apply: [] };
    await expect(execute(executor(), { object: old, resource: things }, late)).rejects.toMatchObject({ status: 404 });
    await world.client.apply(things, thing("again"));
    await expect(execute(executor(), { object: old, resource: things }, late)).rejects.toMatchObject({ status: 409 });
    expect((await read("again")).status).toBeUndefined();
  });
});

describe("an event", () => {
  const about = async (name: string) => {
    const { items } = await world.client.list<KubeObject & { regarding: { name: string }; note: string }>(events, {});
    return items.filter(({ regarding }) => regarding.name === name);
  };

  test("is there once, however often the same is said", async () => {
    const made = await make("told");
    const record = recorder(world.client);
    for (const message of ["a", "a", "b", "a"]) await record.record(made, { type: "Normal", reason: "Made", message });
    expect((await about("told")).map(({ note }) => note).sort()).toEqual(["a", "b"]);
    expect(eventErrors).toEqual([]);
  });

  test("of any length and in any script is taken", async () => {
    const made = await make("long");
    const record = recorder(world.client);
    for (const message of [
      "x".repeat(5000),
      "ß".repeat(1024),
      `x${"模".repeat(1000)}`,
      "🍷".repeat(600),
      "x".repeat(1024),
    ])
      await record.record(made, { type: "Warning", reason: "Failed", message });
    expect(eventErrors).toEqual([]);
    expect(await about("long")).toHaveLength(5);
    expect((await about("long")).filter(({ note }) => note.includes("\uFFFD"))).toEqual([]);
  });
});
