import { beforeEach, describe, expect, test } from "vitest";
import { noWait } from "../../test/builders/loop.ts";
import type { KubeClient } from "../kube/client.ts";
import { StaleViewError } from "../kube/errors.ts";
import type { EventRecorder } from "../kube/events.ts";
import { services } from "../kube/resources.ts";
import type { KubeObject, Resource } from "../kube/types.ts";
import { Answers } from "./answers.ts";
import { type Executor, execute } from "./execute.ts";
import type { Plan } from "./plan.ts";
import { StatusTurns } from "./status-turns.ts";

const resource: Resource = { group: "lemnis.dev", version: "v1", kind: "Model", plural: "models", namespaced: true };
const object = { apiVersion: "lemnis.dev/v1", kind: "Model", metadata: { name: "wine", namespace: "a", uid: "u" } };
const child = { apiVersion: "v1", kind: "Service", metadata: { name: "wine", namespace: "a" }, spec: { port: 80 } };

/** What was done, in order. */
let done: string[];
let failAt: string | undefined;
let cached: KubeObject | undefined;
let isFresh: boolean;
/** The version that the API server has of the object. */
let current: string | undefined;

function act(what: string): void {
  if (what === failAt) throw new Error(what);
  done.push(what);
}

const client = {
  getMetadata: async (): Promise<KubeObject> => {
    act("look at Model");
    return { ...object, metadata: { ...object.metadata, ...(current ? { resourceVersion: current } : {}) } };
  },
  make: async (of: Resource, made: KubeObject) => {
    act(`make ${of.kind}`);
    return { ...made.metadata, resourceVersion: "7", uid: "given" };
  },
  apply: async (of: Resource, applied: KubeObject, { subresource }: { subresource?: string } = {}) => {
    act(subresource ? `${subresource} ${of.kind}` : `apply ${of.kind}`);
    return { ...applied.metadata, resourceVersion: "7", uid: "given" };
  },
  delete: async (of: Resource, { name }: { name: string }, version?: string) =>
    act(["delete", of.kind, name, ...(version ? [`at ${version}`] : [])].join(" ")),
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

const executor = (): Executor => ({
  ...{ client, events, observed: () => cached, isFresh: () => isFresh },
  record: async ({ path }) => act(`record ${path}`),
  turn: noWait,
  answers: new Answers(),
});
const run = (status?: object, changes: Partial<Plan<object>> = {}, statusDue = false) =>
  execute(
    executor(),
    { object: { ...object, ...(status ? { status } : {}) }, resource, statusDue },
    { ...plan, ...changes },
  );
const noChildren = { records: [], apply: [], delete: [] };

beforeEach(() => {
  done = [];
  failAt = undefined;
  cached = undefined;
  isFresh = true;
  current = undefined;
});

test("a child is deleted at the version that was seen: one that has changed since may be wanted again", async () => {
  cached = { ...child, metadata: { ...child.metadata, name: "old", uid: "x", resourceVersion: "5" } };
  await run({ version: 1 }, { records: [], apply: [] });
  expect(done).toEqual(["delete Service old at 5"]);
});

test("an object that is deleted while its children are made gets no more of them", async () => {
  const children = ["one", "two"].map((name) => ({
    resource: services,
    object: { ...child, metadata: { ...child.metadata, name } },
  }));
  const observed = (of: Resource) => (of === resource && done.length === 0 ? object : undefined);
  const carriedOut = execute(
    { ...executor(), observed },
    { object, resource },
    { ...plan, records: [], apply: children },
  );
  await expect(carriedOut).rejects.toThrow(StaleViewError);
  expect(done).toEqual(["make Service"]);
});

describe("a plan is carried out", () => {
  test("in the order in which a crash does no harm; the status waits for what was written to come back", async () => {
    expect(await run()).toMatchObject({ statusDue: true });
    expect(done).toEqual(["record models/wine", "make Service", "delete Service old"]);
    done = [];
    expect(await run({}, noChildren)).toMatchObject({ statusDue: false });
    expect(done).toEqual(["status Model", "event Made"]);
  });

  test("with its status when the pass before left that out, lest a quarrel over a child keep it back", async () => {
    expect(await run({}, {}, true)).toMatchObject({ statusDue: false });
    expect(done.slice(-2)).toEqual(["status Model", "event Made"]);
  });

  test("and tells which writes must come back", async () => {
    const sentAt = expect.any(Number);
    expect((await run({}, {}, true)).echoes).toEqual([
      { resource: services, namespace: "a", name: "wine", resourceVersion: "7", sentAt },
      { resource: services, namespace: "a", name: "old", uid: "x", sentAt },
      { resource, namespace: "a", name: "wine", resourceVersion: "7", sentAt },
    ]);
  });

  test.each(["record models/wine", "make Service", "delete Service old", "status Model"])(
    "no further than to a failure: %s",
    async (step) => {
      failAt = step;
      await expect(run({}, {}, true)).rejects.toThrow(step);
      expect(done).not.toContain("event Made");
      expect(done.at(-1)).not.toBe(step);
    },
  );
});

describe("from a view that nobody has refreshed for a while", () => {
  beforeEach(() => {
    isFresh = false;
  });

  test.each<[string, Partial<Plan<object>>]>([
    ["nothing is made", { delete: [], records: [] }],
    ["nothing is deleted", { apply: [], records: [] }],
  ])("%s before a look shows that it still holds", async (_, changes) => {
    await run({}, changes);
    expect(done[0]).toBe("look at Model");
    current = "8";
    done = [];
    await expect(run({}, changes)).rejects.toThrow(StaleViewError);
    expect(done).toEqual(["look at Model"]);
  });

  test("a status is written without a look: it goes with its version", async () => {
    await run({}, noChildren);
    expect(done).toEqual(["status Model", "event Made"]);
  });
});

test("children are written first, then statuses with their events, one after the other", async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const slow = {
    ...client,
    apply: async (of: Resource, applied: KubeObject, options?: { subresource?: "status" }) => {
      const answer = client.apply(of, applied, options);
      if (options?.subresource) await answered;
      return answer;
    },
  } as unknown as KubeClient;
  const turns = new StatusTurns({ atOnce: 1, patienceMs: 1_000 });
  const start = (changes: Partial<Plan<object>>) => {
    const ofTurn = { ...executor(), client: slow, turn: turns.begin() };
    return execute(ofTurn, { object, resource, statusDue: true }, { ...plan, ...changes });
  };
  const all = [start(noChildren), start(noChildren), start({ records: [], delete: [] })];
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toEqual(["make Service", "status Model"]);
  answer();
  await Promise.all(all);
  expect(done.slice(2)).toEqual(["event Made", "status Model", "event Made", "status Model", "event Made"]);
});

test("the status is for the version that was planned for, and no other", async () => {
  let sent: KubeObject | undefined;
  const keep = { ...client, apply: async (_: Resource, it: KubeObject) => (sent = it) } as unknown as KubeClient;
  const read = { ...object, metadata: { ...object.metadata, resourceVersion: "5", labels: { team: "b" } } };
  await execute({ ...executor(), client: keep }, { object: read, resource }, { ...plan, ...noChildren });
  expect(sent).toEqual({
    ...{ apiVersion: "lemnis.dev/v1", kind: "Model", status: plan.status },
    metadata: { name: "wine", namespace: "a", resourceVersion: "5" },
  });
});

describe("nothing is written", () => {
  test("when the status says all this already: no event either", async () => {
    expect(await run({ version: 1 }, noChildren)).toEqual({ echoes: [], statusDue: false });
    expect(done).toEqual([]);
  });

  test("for a child that holds what is wanted", async () => {
    let made: KubeObject | undefined;
    const remember = { ...client, make: async (_: Resource, it: KubeObject) => (made = it) } as unknown as KubeClient;
    const remembering = { ...executor(), client: remember };
    const only = { ...plan, records: [], delete: [], events: [], status: {} };
    await execute(remembering, { object, resource }, only);
    cached = made;
    made = undefined;
    await execute(remembering, { object, resource }, only);
    expect([made, done]).toEqual([undefined, []]);
  });
});
