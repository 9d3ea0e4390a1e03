/** Kinds that come and go while the operator runs, as ServiceMonitors do with the Prometheus operator. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Change, Reflector, type RestartReason } from "../../../operator/kube/reflector.ts";
import { customResourceDefinitions } from "../../../operator/kube/resources.ts";
import type { KubeObject } from "../../../operator/kube/types.ts";
import { defineThings, namespace, startWorld, thing, things, type World } from "./world.ts";

let world: World;
let told: string[];
let restarts: RestartReason[];
let stop: AbortController;
let running: Promise<void>[];

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(() => {
  [told, restarts, running] = [[], [], []];
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await Promise.all(running);
});

const patience = { timeout: 20_000, interval: 50 };

function reflect(resource = things, metadataOnly = false): Reflector<KubeObject> {
  return new Reflector<KubeObject>(world.client, resource, {
    metadataOnly,
    onChange: ({ type, object }: Change<KubeObject>) => told.push(`${type} ${object.metadata.name}`),
    onRestart: (reason) => restarts.push(reason),
  });
}
function run(reflector: Reflector<KubeObject>, signal: AbortSignal = stop.signal): void {
  running.push(reflector.run(signal));
}
/** The kind is served a moment after it was made. */
const make = (name: string) => vi.waitFor(() => world.client.apply(things, thing(name)), patience);
async function undefine(): Promise<void> {
  const name = "things.example.com";
  const { metadata } = await world.client.get(customResourceDefinitions, undefined, name);
  await world.client.delete(customResourceDefinitions, { name, uid: metadata.uid ?? "" });
  const gone = () => expect(world.client.get(customResourceDefinitions, undefined, name)).rejects.toThrow(/404/);
  await vi.waitFor(gone, patience);
}

test("a kind that is not there yet is waited for, and listed when it comes", async () => {
  const reflector = reflect();
  run(reflector);
  await vi.waitFor(() => expect(restarts.length).toBeGreaterThan(1), patience);
  expect(new Set(restarts)).toEqual(new Set(["error"]));
  expect(reflector.cache.synced).toBe(false);
  await defineThings(world.client);
  await make("first");
  await vi.waitFor(() => expect(reflector.cache.get(namespace, "first")).toBeDefined(), patience);
  expect(reflector.cache.synced).toBe(true);
  await undefine();
});

test("the watch of the definitions tells when a kind comes and when it goes, from their metadata alone", async () => {
  const definitions = reflect(customResourceDefinitions, true);
  run(definitions);
  await definitions.whenSynced;
  await defineThings(world.client);
  await vi.waitFor(() => expect(told).toContain("added things.example.com"), patience);
  expect(definitions.cache.get(undefined, "things.example.com")).not.toHaveProperty("spec");
  await undefine();
  await vi.waitFor(() => expect(told.at(-1)).toBe("deleted things.example.com"), patience);
});

test("a kind that went is forgotten, and found again by the same reflector when it is back", async () => {
  await defineThings(world.client);
  await make("before");
  const reflector = reflect();
  const first = new AbortController();
  run(reflector, first.signal);
  await reflector.whenSynced;
  await undefine();
  first.abort();
  reflector.clear();
  await Promise.all(running);
  expect(told.at(-1)).toBe("deleted before");
  expect([reflector.cache.size, reflector.cache.synced]).toEqual([0, false]);
  await defineThings(world.client);
  await make("after");
  run(reflector);
  await reflector.whenSynced;
  expect(reflector.cache.list().map(({ metadata }) => metadata.name)).toEqual(["after"]);
  await undefine();
});

test("a kind that is deleted and made anew under a watch leaves no object behind that is gone", async () => {
  await defineThings(world.client);
  await make("before");
  const reflector = reflect();
  run(reflector);
  await reflector.whenSynced;
  await undefine();
  await defineThings(world.client);
  await make("after");
  const names = () => reflector.cache.list().map(({ metadata }) => metadata.name);
  await vi.waitFor(() => expect(names()).toEqual(["after"]), patience);
  expect(told).toEqual(["added before", "deleted before", "added after"]);
});
