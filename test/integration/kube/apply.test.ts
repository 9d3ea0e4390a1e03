/** Children on a real API server: nothing is sent when nothing would change, and drift is put right. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyIfChanged, NameTakenError } from "../../../operator/kube/apply.ts";
import { deployments, jobs, services } from "../../../operator/kube/resources.ts";
import type { KubeObject, Resource } from "../../../operator/kube/types.ts";
import { namespace, startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

type Body = KubeObject & { spec?: unknown };

function deployment(name: string, changes: object = {}): Body {
  const container = {
    name: "runtime",
    image: "serve:1",
    env: [{ name: "A", value: "1" }],
    resources: { limits: { cpu: "1000m", memory: "1Gi" } },
  };
  return {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [container] } },
      ...changes,
    },
  };
}
const service = (name: string, selector: object): Body => ({
  ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace } },
  spec: { selector, ports: [{ name: "http", port: 80, targetPort: "http" }] },
});

const read = (resource: Resource, name: string) => world.client.get<Body>(resource, namespace, name);
/** Applies as the operator does: with what its cache has seen. */
async function apply(resource: Resource, object: Body) {
  const observed = await read(resource, object.metadata.name).catch(() => undefined);
  return applyIfChanged(world.client, { resource, object }, observed);
}
/** What somebody else does with kubectl. */
async function byOthers(resource: Resource, object: Body): Promise<Body> {
  await world.client.apply(resource, object, { manager: "kubectl" });
  return read(resource, object.metadata.name);
}

describe("an object that holds all that is wanted", () => {
  test.each<[string, Resource, Body]>([
    ["Deployment", deployments, deployment("same")],
    ["Service", services, service("same", { app: "same" })],
  ])("%s is not sent again", async (_, resource, object) => {
    expect(await apply(resource, object)).toBeDefined();
    const before = { ...world.calls };
    expect(await apply(resource, object)).toBeUndefined();
    expect(world.calls.apply).toBe(before.apply);
  });
});

test("text is kept as it is, also where YAML takes it for something else", async () => {
  const odd = "\u007f \u0085 \u0090 \u2028 \u2029 \ufeff \ufffe\uffff é 😀 \t\n";
  const [container] = [{ name: "runtime", image: "serve:1", env: [{ name: "A", value: odd }] }];
  const template = { metadata: { labels: { app: "odd" } }, spec: { containers: [container] } };
  await apply(deployments, deployment("odd", { template }));
  expect(await read(deployments, "odd")).toMatchObject({ spec: { template: { spec: { containers: [container] } } } });
  expect(await apply(deployments, deployment("odd", { template }))).toBeUndefined();
});

test("what others change in a field of ours is put right, and theirs are left alone", async () => {
  await apply(services, service("drift", { app: "ours" }));
  await byOthers(services, {
    ...service("drift", { app: "theirs" }),
    metadata: { name: "drift", namespace, labels: { team: "b" } },
  });
  expect(await apply(services, service("drift", { app: "ours" }))).toBeDefined();
  const mended = await read(services, "drift");
  expect(mended).toMatchObject({ spec: { selector: { app: "ours" } }, metadata: { labels: { team: "b" } } });
});

const fromOthers = (name: string) => byOthers(services, service(name, { app: "theirs", track: "stable" }));
const anotherWish = (name: string) => apply(services, service(name, { app: "a", track: "stable", since: "2026" }));
test.each<[string, string, ((name: string) => Promise<unknown>) | undefined]>([
  ["was made with", "less", undefined],
  ["was made with, and that was put right since,", "mended", fromOthers],
  ["was applied with", "lesser", anotherWish],
])("a field that an object %s and that is no longer wanted goes", async (_, name, happen) => {
  const made = service(name, { app: "a", track: "stable" });
  await apply(services, made);
  await happen?.(name);
  await apply(services, made);
  expect((await read(services, name)).spec).toMatchObject({ selector: { app: "a", track: "stable" } });
  await apply(services, service(name, { app: "a" }));
  expect((await read(services, name)).spec).toMatchObject({ selector: { app: "a" } });
  expect(JSON.stringify((await read(services, name)).spec)).not.toMatch(/stable|2026/);
});

test("what is made and then changed for the first time runs on with what Kubernetes has filled in", async () => {
  await apply(deployments, deployment("filled"));
  const before = (await read(deployments, "filled")).spec;
  await apply(deployments, deployment("filled", { minReadySeconds: 1 }));
  expect((await read(deployments, "filled")).spec).toEqual({ ...(before as object), minReadySeconds: 1 });
});

test("replicas that an autoscaler owns stay as it set them", async () => {
  const scaled = deployment("scaled");
  delete (scaled.spec as { replicas?: number }).replicas;
  await apply(deployments, scaled);
  await byOthers(deployments, {
    ...deployment("scaled"),
    spec: { ...(deployment("scaled").spec as object), replicas: 5 },
  });
  await apply(deployments, { ...scaled, metadata: { ...scaled.metadata, labels: { changed: "yes" } } });
  expect((await read(deployments, "scaled")).spec).toMatchObject({ replicas: 5 });
});

describe("what others add to an object of ours", () => {
  test.each<[string, object]>([
    ["restart", { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "2026-03-01" } } }],
    ["variable", { spec: { containers: [{ name: "runtime", env: [{ name: "DEBUG", value: "1" }] }] } }],
    ["sidecar", { spec: { containers: [{ name: "proxy", image: "proxy:1" }] } }],
    ["volume", { spec: { volumes: [{ name: "extra", emptyDir: {} }] } }],
  ])("a %s stays, and costs no request at rest", async (what, template) => {
    const wanted = deployment(what);
    await apply(deployments, wanted);
    const patched = await byOthers(deployments, {
      ...wanted,
      spec: { selector: { matchLabels: { app: what } }, template },
    });
    expect(await apply(deployments, wanted)).toBeUndefined();
    await apply(deployments, deployment(what, { minReadySeconds: 1 }));
    const { template: kept, minReadySeconds } = (await read(deployments, what)).spec as Record<string, unknown>;
    expect(kept).toEqual((patched.spec as Record<string, unknown>).template);
    expect(minReadySeconds).toBe(1);
  });
});

test("a name that somebody else's object has is not taken over", async () => {
  await byOthers(services, service("taken", { app: "theirs" }));
  const attempt = applyIfChanged(
    world.client,
    { resource: services, object: service("taken", { app: "ours" }) },
    undefined,
  );
  await expect(attempt).rejects.toThrow(NameTakenError);
  await expect(attempt).rejects.toThrow(/Service taken exists already/);
  expect((await read(services, "taken")).spec).toMatchObject({ selector: { app: "theirs" } });
});

test("a name that somebody else's object has is not taken over without a conflict either", async () => {
  const ours = service("silent", { app: "ours" });
  const { selector: _, ...theirs } = ours.spec as { selector: object };
  await byOthers(services, { ...ours, spec: theirs });
  await expect(apply(services, ours)).rejects.toThrow(/Service silent exists already/);
  await expect(applyIfChanged(world.client, { resource: services, object: ours }, undefined)).rejects.toThrow(
    NameTakenError,
  );
  expect((await read(services, "silent")).spec).not.toHaveProperty("selector");
});

test("an object of ours that the cache has lost, and others have changed, is put right", async () => {
  await apply(services, service("unlabelled", { app: "ours" }));
  await byOthers(services, service("unlabelled", { app: "theirs" }));
  const object = service("unlabelled", { app: "ours" });
  await applyIfChanged(world.client, { resource: services, object }, undefined);
  expect((await read(services, "unlabelled")).spec).toMatchObject({ selector: { app: "ours" } });
});

test("a delete meets only the very object that was seen", async () => {
  const made = await apply(services, service("deleted", { app: "a" }));
  await world.client.delete(services, { namespace, name: "deleted", uid: "another" });
  const changed = await byOthers(services, service("deleted", { app: "b" }));
  const doomed = { namespace, name: "deleted", uid: made?.uid ?? "" };
  await expect(world.client.delete(services, doomed, made?.resourceVersion)).rejects.toThrow(/409/);
  expect(await read(services, "deleted")).toBeDefined();
  await world.client.delete(services, doomed, changed.metadata.resourceVersion);
  await expect(read(services, "deleted")).rejects.toThrow(/404/);
  await world.client.delete(services, { namespace, name: "deleted", uid: made?.uid ?? "" });
});

describe("a Job, which is made once", () => {
  const owner = (uid: string) => ({ apiVersion: "v1", kind: "ConfigMap", name: "o", uid, controller: true });
  const job = (name: string, { uid = "first", pod = {} } = {}): Body => ({
    ...{ apiVersion: "batch/v1", kind: "Job" },
    metadata: { name, namespace, labels: { ours: uid }, ownerReferences: [owner(uid)] },
    spec: {
      suspend: true,
      template: { spec: { restartPolicy: "Never", containers: [{ name: "run", image: "train:1" }], ...pod } },
    },
  });
  const make = (object: Body, observed?: KubeObject) =>
    applyIfChanged(world.client, { resource: jobs, object, once: true }, observed);

  test("is made by one request, and asked for again is left as it is", async () => {
    const before = { ...world.calls };
    const made = await make(job("once"));
    expect(made).toMatchObject({ name: "once", resourceVersion: expect.any(String) });
    expect(world.calls).toEqual({ ...before, create: (before.create ?? 0) + 1 });
    expect(await make(job("once"))).toBeUndefined();
    expect(await make(job("once"), await read(jobs, "once"))).toBeUndefined();
  });

  test("follows the owner of its name, with the spec and the labels that others have given it", async () => {
    await make(job("heir"));
    const others = {
      ...job("heir"),
      metadata: { name: "heir", namespace, labels: { theirs: "yes" } },
      spec: { suspend: false },
    };
    const seen = await byOthers(jobs, others);
    await make(job("heir", { uid: "second" }), seen);
    expect(await read(jobs, "heir")).toMatchObject({
      metadata: { labels: { ours: "second", theirs: "yes" }, ownerReferences: [owner("second")] },
      spec: { suspend: false },
    });
    await expect(make(job("heir", { uid: "third" }), seen)).rejects.toMatchObject({ status: 409, reason: "Conflict" });
  });

  test("is refused with a field that Kubernetes does not know", async () => {
    await expect(make(job("odd", { pod: { restartPolicies: "Never" } }))).rejects.toThrow(
      /unknown field.*restartPolicies/,
    );
    await expect(read(jobs, "odd")).rejects.toThrow(/404/);
  });
});

test("what the API server refuses names the object, the status and the reason", async () => {
  const bad = service("Bad_Name", { app: "a" });
  await expect(apply(services, bad)).rejects.toMatchObject({ status: 422, reason: "Invalid" });
});
