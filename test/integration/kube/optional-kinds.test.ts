/** Which kinds of other projects there are: found, followed and dropped by their definitions, without polling. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { KubeClient } from "../../../operator/kube/client.ts";
import { customResourceDefinitions, localQueues, serviceMonitors } from "../../../operator/kube/resources.ts";
import type { KubeObject, ObjectMeta, Resource } from "../../../operator/kube/types.ts";
import { OptionalKinds } from "../../../operator/optional-kinds.ts";
import { createReflectors, type Reflectors } from "../../../operator/world.ts";
import { clientOf, startWorld, type World } from "./world.ts";

const patience = { timeout: 20_000, interval: 50 };
let world: World;
let client: KubeClient;
let reflectors: Reflectors;
let kinds: OptionalKinds;
/** Requests for objects of the kind, and what was told of kinds. */
let [requests, told]: [string[], string[]] = [[], []];
const stop = new AbortController();
let running: Promise<void>;

beforeAll(async () => {
  world = await startWorld();
  client = clientOf(world.plane, {
    onRequest: ({ verb, resource, code }) => {
      if (resource !== "customresourcedefinitions") requests.push(`${verb} ${resource} ${code}`);
    },
  });
  reflectors = createReflectors(client, { relistMs: 600_000, onChange: () => {}, onRestart: () => {} });
  kinds = new OptionalKinds(client, reflectors, { signal: stop.signal, onChange: (kind) => told.push(kind) });
  running = kinds.definitions.run(stop.signal);
  await kinds.settled(10_000);
});
afterAll(async () => {
  stop.abort();
  await running;
  await client.close();
  await world.stop();
});

const nameOf = ({ plural, group }: Resource) => `${plural}.${group}`;

/** Any object passes; these are the versions that are served, and the first is stored. */
function define({ plural, group, kind }: Resource, versions: readonly string[]): Promise<ObjectMeta> {
  const openAPIV3Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const definition = {
    ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
    metadata: { name: `${plural}.${group}` },
    spec: {
      ...{ group, scope: "Namespaced", names: { kind, plural, singular: kind.toLowerCase() } },
      versions: versions.map((name, i) => ({ name, served: true, storage: i === 0, schema: { openAPIV3Schema } })),
    },
  };
  return client.apply(customResourceDefinitions, definition, { manager: "test" });
}
async function undefine(resource: Resource): Promise<void> {
  const { metadata } = await client.getMetadata(customResourceDefinitions, undefined, nameOf(resource));
  await client.delete(customResourceDefinitions, { name: metadata.name, uid: metadata.uid ?? "" });
}

test("nothing is asked of a kind that is not there, or not in a version that we know", async () => {
  expect(kinds.has("serviceMonitors")).toBe(false);
  await define(serviceMonitors, ["v1alpha1"]);
  await vi.waitFor(async () => {
    const { status } = await client.get<KubeObject & { status: { conditions: { type: string }[] } }>(
      customResourceDefinitions,
      undefined,
      nameOf(serviceMonitors),
    );
    expect(status.conditions.map(({ type }) => type)).toContain("Established");
  }, patience);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect([requests, told, kinds.has("serviceMonitors"), kinds.watched()]).toEqual([[], [], false, []]);
});

test("a kind is watched as soon as it is served, and told of when its objects are there", async () => {
  await define(serviceMonitors, ["v1alpha1", "v1"]);
  await vi.waitFor(() => expect(told).toEqual(["serviceMonitors"]), patience);
  expect([kinds.has("serviceMonitors"), kinds.watched()]).toEqual([true, [reflectors.serviceMonitors]]);
  const labels = { "app.kubernetes.io/managed-by": "lemnis" };
  const object = { apiVersion: "monitoring.coreos.com/v1", kind: "ServiceMonitor" };
  for (const [name, own] of [
    ["ours", labels],
    ["theirs", {}],
  ] as const)
    await client.apply(serviceMonitors, { ...object, metadata: { name, namespace: "default", labels: own } });
  await vi.waitFor(() => expect(reflectors.serviceMonitors.cache.size).toBe(1), patience);
  expect(reflectors.serviceMonitors.cache.get("default", "ours")).toBeDefined();
});

test("a kind that goes is dropped with its objects, and not asked for again", async () => {
  [requests, told] = [[], []];
  await undefine(serviceMonitors);
  await vi.waitFor(() => expect(told).toEqual(["serviceMonitors"]), patience);
  expect([kinds.has("serviceMonitors"), reflectors.serviceMonitors.cache.size]).toEqual([false, 0]);
  expect(kinds.watched()).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(requests.filter((request) => !request.startsWith("delete"))).toEqual([]);
});

test("a kind of which metadata is enough is read in the version that the cluster has, and in the next when that is withdrawn", async () => {
  [requests, told] = [[], []];
  await define(localQueues, ["v1beta1"]);
  await vi.waitFor(() => expect(kinds.has("localQueues")).toBe(true), patience);
  const object = { apiVersion: "kueue.x-k8s.io/v1beta1", kind: "LocalQueue", spec: { clusterQueue: "all" } };
  await client.apply({ ...localQueues, version: "v1beta1" }, {
    ...object,
    metadata: { name: "team", namespace: "default" },
  } as KubeObject);
  await vi.waitFor(() => expect(reflectors.localQueues.cache.size).toBe(1), patience);
  expect(reflectors.localQueues.cache.get("default", "team")).not.toHaveProperty("spec");
  await define(localQueues, ["v1beta1", "v1beta2"]);
  await vi.waitFor(() => expect(reflectors.localQueues.resource.version).toBe("v1beta2"), patience);
  await vi.waitFor(() => expect(reflectors.localQueues.cache.size).toBe(1), patience);
  await undefine(localQueues);
  await vi.waitFor(() => expect(kinds.has("localQueues")).toBe(false), patience);
});

test("at the start, what is there is known before anything is decided by it", async () => {
  await define(serviceMonitors, ["v1"]);
  await vi.waitFor(() => expect(kinds.has("serviceMonitors")).toBe(true), patience);
  const again = createReflectors(client, { relistMs: 600_000, onChange: () => {}, onRestart: () => {} });
  const ending = new AbortController();
  const fresh = new OptionalKinds(client, again, { signal: ending.signal, onChange: () => {} });
  const following = fresh.definitions.run(ending.signal);
  await fresh.settled(10_000);
  expect(fresh.has("serviceMonitors")).toBe(true);
  ending.abort();
  await following;
});
