import { beforeEach, describe, expect, test } from "vitest";
import type { KubeClient } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import type { EventRecorder } from "../kube/events.ts";
import { services } from "../kube/resources.ts";
import type { KubeObject, Resource } from "../kube/types.ts";
import { execute } from "./execute.ts";
import type { Plan } from "./plan.ts";

const resource: Resource = { group: "lemnis.dev", version: "v1", kind: "Model", plural: "models", namespaced: true };
const object = { apiVersion: "lemnis.dev/v1", kind: "Model", metadata: { name: "wine", namespace: "a", uid: "u" } };
const child = { apiVersion: "v1", kind: "Service", metadata: { name: "wine", namespace: "a" }, spec: { port: 80 } };

/** What was done, in order. */
let done: string[];
let failAt: string | undefined;
let cached: KubeObject | undefined;

function act(what: string): void {
  if (what === failAt) throw new Error(what);
  done.push(what);
}

const client = {
  get: async ({ kind }: Resource) => Promise.reject(new ApiError(`get ${kind}`, 404)),
  apply: async (of: Resource, applied: KubeObject, { subresource }: { subresource?: string } = {}) => {
    act(subresource ? `${subresource} ${of.kind}` : `apply ${of.kind}`);
    return { ...applied, metadata: { ...applied.metadata, resourceVersion: "7", uid: "given" } };
  },
  delete: async (of: Resource, { name }: { name: string }) => act(`delete ${of.kind} ${name}`),
} as unknown as KubeClient;
const events = {
  record: async (_: KubeObject, { reason }: { reason: string }) => act(`event ${reason}`),
} as unknown as EventRecorder;

const plan: Plan<object> = {
  records: [{ method: "PUT", path: "models/wine", body: {} }],
  apply: [{ resource: services, object: child }],
  delete: [{ resource: services, namespace: "a", name: "old", uid: "x" }],
  status: { version: 1, absent: undefined },
  events: [{ type: "Normal", reason: "Made", message: "made" }],
  outcome: { kind: "settled" },
};

const run = (status?: object, changes: Partial<Plan<object>> = {}) =>
  execute(
    { client, events, observed: () => cached, record: async ({ path }) => act(`record ${path}`) },
    { object: { ...object, ...(status ? { status } : {}) }, resource },
    { ...plan, ...changes },
  );

beforeEach(() => {
  done = [];
  failAt = undefined;
  cached = undefined;
});

describe("a plan is carried out", () => {
  test("in the order in which a crash does no harm", async () => {
    await run();
    expect(done).toEqual(["record models/wine", "apply Service", "delete Service old", "status Model", "event Made"]);
  });

  test("and tells which writes must come back", async () => {
    expect(await run()).toEqual([
      { resource: services, namespace: "a", name: "wine", resourceVersion: "7", uid: "given" },
      { resource: services, namespace: "a", name: "old", uid: "x" },
      { resource, namespace: "a", name: "wine", resourceVersion: "7", uid: "given" },
    ]);
  });

  test.each(["record models/wine", "apply Service", "delete Service old", "status Model"])(
    "no further than to a failure: %s",
    async (step) => {
      failAt = step;
      await expect(run()).rejects.toThrow(step);
      expect(done).not.toContain("event Made");
      expect(done.at(-1)).not.toBe(step);
    },
  );
});

test("the status is for the version that was planned for, and no other", async () => {
  let sent: KubeObject | undefined;
  const keep = { ...client, apply: async (_: Resource, it: KubeObject) => (sent = it) } as unknown as KubeClient;
  const read = { ...object, metadata: { ...object.metadata, resourceVersion: "5", labels: { team: "b" } } };
  await execute(
    { client: keep, events, observed: () => undefined, record: async () => {} },
    { object: read, resource },
    { ...plan, apply: [], delete: [] },
  );
  expect(sent).toEqual({
    ...{ apiVersion: "lemnis.dev/v1", kind: "Model", status: plan.status },
    metadata: { name: "wine", namespace: "a", resourceVersion: "5" },
  });
});

describe("nothing is written", () => {
  test("when the status says all this already: no event either", async () => {
    expect(await run({ version: 1 }, { records: [], apply: [], delete: [] })).toEqual([]);
    expect(done).toEqual([]);
  });

  test("for a child that holds what is wanted", async () => {
    let applied: KubeObject | undefined;
    const remember = {
      ...client,
      apply: async (_: Resource, it: KubeObject) => (applied = it),
    } as unknown as KubeClient;
    const executor = { client: remember, events, observed: () => cached, record: async () => {} };
    const only = { ...plan, records: [], delete: [], events: [], status: {} };
    await execute(executor, { object, resource }, only);
    cached = applied;
    applied = undefined;
    await execute(executor, { object, resource }, only);
    expect(applied).toBeUndefined();
  });
});
