/** A cache stays true to a real API server through all that happens to watches. */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Change, Reflector, type RestartReason } from "../../../operator/kube/reflector.ts";
import { configMaps } from "../../../operator/kube/resources.ts";
import type { KubeObject, Resource } from "../../../operator/kube/types.ts";
import { configMap, namespace, startWorld, type World } from "./world.ts";

let world: World;
let changes: Change<KubeObject>[];
let restarts: RestartReason[];

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(() => {
  changes = [];
  restarts = [];
});

/** A reflector of the ConfigMaps with a label of their own, run until the test's end. */
async function reflect<T>(topic: string, use: (reflector: Reflector<KubeObject>) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const reflector = new Reflector<KubeObject>(world.client, configMaps, {
    labelSelector: `topic=${topic}`,
    onChange: (change) => changes.push(change),
    onRestart: (reason) => restarts.push(reason),
  });
  const running = reflector.run(stop.signal);
  try {
    await reflector.whenSynced;
    return await use(reflector);
  } finally {
    stop.abort();
    await running;
  }
}

const labelled = (topic: string, name: string, data: Record<string, string> = {}) => {
  const object = configMap(name, data);
  return { ...object, metadata: { ...object.metadata, labels: { topic } } };
};
const make = (topic: string, name: string, data = {}) => world.client.apply(configMaps, labelled(topic, name, data));
const told = () =>
  changes.map(({ type, object, listed }) => `${type} ${object.metadata.name}${listed ? " (listed)" : ""}`);

test("the first list comes in pages, and what happens after it is told once, in order", async () => {
  await Promise.all(Array.from({ length: 520 }, (_, index) => make("pages", `page-${index}`)));
  const before = world.calls.list ?? 0;
  await reflect("pages", async ({ cache }) => {
    expect(cache.size).toBe(520);
    expect((world.calls.list ?? 0) - before).toBe(3);
    expect(changes.every(({ type, listed }) => type === "added" && listed)).toBe(true);
    changes = [];
    const added = await make("pages", "new");
    await make("pages", "new", { a: "1" });
    await world.client.delete(configMaps, { namespace, name: "new", uid: added.uid ?? "" });
    await vi.waitFor(() => expect(told()).toEqual(["added new", "modified new", "deleted new"]), {
      timeout: 30_000,
    });
    expect(cache.get(namespace, "new")).toBeUndefined();
    expect(Object.isFrozen(cache.get(namespace, "page-1")?.metadata)).toBe(true);
    expect(cache.get(namespace, "page-1")?.metadata).not.toHaveProperty("managedFields");
  });
});

test("a relist after a lost history tells what was deleted and made meanwhile, and an object made anew is another", async () => {
  const [gone, remade] = [await make("lost", "gone"), await make("lost", "remade")];
  await make("lost", "kept");
  await reflect("lost", async ({ cache }) => {
    changes = [];
    await world.plane.killApiServer();
    // A watch that comes back asks for a revision that etcd has forgotten.
    await world.plane.restartApiServer();
    await world.client.delete(configMaps, { namespace, name: "gone", uid: gone.uid ?? "" });
    await world.client.delete(configMaps, { namespace, name: "remade", uid: remade.uid ?? "" });
    await make("lost", "remade", { a: "1" });
    await vi.waitFor(() => expect(cache.get(namespace, "gone")).toBeUndefined(), { timeout: 30_000 });
    const isAnother = (uid: string | undefined) => uid !== undefined && uid !== remade.uid;
    await vi.waitFor(() => expect(isAnother(cache.get(namespace, "remade")?.metadata.uid)).toBe(true), {
      timeout: 10_000,
    });
    expect(changes.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(
      expect.arrayContaining(["deleted gone", "deleted remade", "added remade"]),
    );
    expect(changes.map(({ object }) => object.metadata.name)).not.toContain("kept");
    expect(restarts.length).toBeGreaterThan(0);
  });
});

test("a watch whose revision was compacted away lists again, without an edit being seen twice", async () => {
  await make("compacted", "kept");
  await reflect("compacted", async ({ cache }) => {
    await world.plane.killApiServer();
    const { revision } = await etcd("kv/range", { key: "Lw==", range_end: "MA==", limit: 1 }).then(
      ({ header }) => header,
    );
    await etcd("kv/put", { key: "L2xlbW5pcy10ZXN0", value: "MQ==" });
    await etcd("kv/compaction", { revision: String(Number(revision) + 1), physical: true });
    changes = [];
    await world.plane.restartApiServer();
    await make("compacted", "made-after");
    await vi.waitFor(() => expect(cache.get(namespace, "made-after")).toBeDefined(), { timeout: 30_000 });
    expect(restarts).toContain("gone");
    expect(told().filter((line) => line.includes("kept"))).toEqual([]);
    expect(cache.get(namespace, "kept")).toBeDefined();
  });
});

async function etcd(path: string, body: object): Promise<{ header: { revision: string } }> {
  const answer = await fetch(`${world.plane.etcdUrl}/v3/${path}`, { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { header: { revision: string } };
}

test("a kind that is not there yet is waited for, and an abort ends the wait", async () => {
  const missing: Resource = { group: "example.com", version: "v1", kind: "Thing", plural: "things", namespaced: true };
  const stop = new AbortController();
  const reflector = new Reflector<KubeObject>(world.client, missing, { onRestart: (reason) => restarts.push(reason) });
  const running = reflector.run(stop.signal);
  await vi.waitFor(() => expect(restarts.length).toBeGreaterThan(1), { timeout: 5_000 });
  expect(restarts).toContain("error");
  expect(reflector.cache.synced).toBe(false);
  stop.abort();
  await running;
});
