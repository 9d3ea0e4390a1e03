/** Where the API server makes something else of what is applied, it is told so once, and not for ever. */
import { isDeepStrictEqual } from "node:util";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { noWait } from "../../test/builders/loop.ts";
import type { KubeClient } from "../kube/client.ts";
import type { EventRecorder } from "../kube/events.ts";
import { deployments } from "../kube/resources.ts";
import type { KubeObject, ObjectMeta, Resource } from "../kube/types.ts";
import { Answers } from "./answers.ts";
import { runController } from "./controller.ts";
import { type Executor, execute } from "./execute.ts";
import { createMetrics } from "./metrics.ts";
import type { Plan } from "./plan.ts";
import { WorkQueue } from "./queue.ts";

type Body = KubeObject & { spec?: object; status?: object };
const models: Resource = { group: "lemnis.dev", version: "v1", kind: "Model", plural: "models", namespaced: true };
const owner = { apiVersion: "lemnis.dev/v1", kind: "Model", name: "wine", uid: "o", controller: true };
const child: Body = {
  ...{ apiVersion: "apps/v1", kind: "Deployment", spec: { image: "serve:1" } },
  metadata: { name: "wine", namespace: "a", ownerReferences: [owner] },
};

/** What the API server has, and what a policy makes of what it is sent. */
let stored: Map<string, Body>;
let rewrite: (object: Body) => Body;
let patches: string[];
let version: number;
let queue: WorkQueue;
let plan: Plan<object>;
let ended: Promise<void>;

function store(object: Body): void {
  stored.set(object.kind, { ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } });
  queue.add("a/wine", "change");
}

const client = {
  make: async ({ kind }: Resource, object: Body) => {
    patches.push(`make ${kind}`);
    const managedFields = [{ manager: "lemnis", operation: "Update" as const }];
    store(rewrite({ ...object, metadata: { ...object.metadata, uid: kind, managedFields } }));
    return stored.get(kind)?.metadata;
  },
  getMetadata: async ({ kind }: Resource) => stored.get(kind),
  amend: async ({ kind }: Resource, _: ObjectMeta, changes: Partial<ObjectMeta>) => {
    patches.push(`amend ${kind}`);
    const before = stored.get(kind) as Body;
    store(rewrite({ ...before, metadata: { ...before.metadata, ...changes } }));
    return stored.get(kind)?.metadata;
  },
  apply: async ({ kind }: Resource, object: Body) => {
    patches.push(`apply ${kind}`);
    const before = stored.get(kind);
    const { resourceVersion: _, ...metadata } = { ...before?.metadata, uid: kind, ...object.metadata };
    const now = rewrite({ ...before, ...object, metadata });
    // As etcd does it: what is the same is not written, and keeps its version.
    if (
      !isDeepStrictEqual(
        { ...now, metadata: { ...now.metadata, resourceVersion: before?.metadata.resourceVersion } },
        before,
      )
    )
      store(now);
    return stored.get(kind)?.metadata;
  },
} as unknown as KubeClient;

function start(): void {
  const executor: Executor = {
    ...{ client, events: { record: async () => {} } as unknown as EventRecorder, isFresh: () => true },
    observed: ({ kind }) => stored.get(kind),
    record: async () => {},
    turn: noWait,
    answers: new Answers(),
  };
  ended = runController({
    ...{ name: "model", queue, workers: 2, logger: pino({ level: "silent" }), metrics: createMetrics(new Registry()) },
    ...{ hasEcho: () => true, onLate: () => {} },
    reconcile: async (_, { statusDue }) => {
      const object = stored.get("Model") as Body;
      return { outcome: plan.outcome, ...(await execute(executor, { object, resource: models, statusDue }, plan)) };
    },
  });
}
const elapse = async (seconds: number) => {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  // Turns of the event loop, which the fake clock leaves alone.
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
  [stored, patches, version, queue] = [new Map(), [], 0, new WorkQueue()];
  rewrite = (object) => object;
  plan = {
    ...{ apply: [{ resource: deployments, object: child }], delete: [], status: { made: "wine" }, events: [] },
    outcome: { kind: "settled" },
  };
  store({ apiVersion: "lemnis.dev/v1", kind: "Model", metadata: { name: "wine", namespace: "a", uid: "Model" } });
  start();
});
afterEach(async () => {
  queue.close();
  await ended;
  vi.useRealTimers();
});

const mirrored = (object: Body): Body =>
  object.kind === "Deployment" ? { ...object, spec: { ...object.spec, image: "mirror/serve:1" } } : object;
const stamped = (object: Body): Body => {
  const { metadata } = mirrored(object);
  return { ...mirrored(object), metadata: { ...metadata, annotations: { ...metadata.annotations, at: `${version}` } } };
};

describe.each<[string, (object: Body) => Body]>([
  ["rewrites a field, so that an apply changes nothing", mirrored],
  ["rewrites a field and stamps each write, so that an apply is always news", stamped],
])("a policy that %s", (_, policy) => {
  beforeEach(async () => {
    rewrite = policy;
    await elapse(2);
  });

  test("is left alone after one try, and the status is told", async () => {
    const tries = patches.length;
    expect(patches.filter((patch) => patch.endsWith("Deployment"))).toEqual(["make Deployment", "apply Deployment"]);
    expect(stored.get("Model")?.status).toEqual(plan.status);
    await elapse(60);
    for (let change = 0; change < 5; change++) {
      queue.add("a/wine");
      await elapse(1);
    }
    expect(patches.length).toBe(tries);
  });

  test("does not keep from repair what others change, nor from a new wish", async () => {
    const kept = stored.get("Deployment") as Body;
    store({ ...kept, spec: { ...kept.spec, paused: true, image: "theirs" } });
    await elapse(1);
    expect(stored.get("Deployment")?.spec).toMatchObject({ image: "mirror/serve:1" });
    plan = {
      ...plan,
      apply: [{ resource: deployments, object: { ...child, spec: { image: "x", replicas: 2 } } as Body }],
    };
    queue.add("a/wine");
    await elapse(1);
    expect(stored.get("Deployment")?.spec).toMatchObject({ replicas: 2 });
    const tries = patches.length;
    await elapse(60);
    expect(patches.length).toBe(tries);
  });
});

test("a status whose definition lacks a field is written once, and again when it is another", async () => {
  rewrite = (object) => (object.kind === "Model" ? { ...object, status: {} } : object);
  await elapse(60);
  const tries = patches.length;
  expect(patches.filter((patch) => patch === "apply Model").length).toBeLessThanOrEqual(2);
  queue.add("a/wine");
  await elapse(60);
  expect(patches.length).toBe(tries);
  plan = { ...plan, status: { made: "wine", more: 1 } };
  queue.add("a/wine");
  await elapse(1);
  expect(patches.length).toBe(tries + 1);
});
