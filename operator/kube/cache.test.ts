import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { freezeDeep, ObjectCache, trimObject } from "./cache.ts";
import type { KubeObject } from "./types.ts";

const object = (name: string, owner: string): KubeObject => ({
  ...{ apiVersion: "v1", kind: "Pod" },
  metadata: { name, namespace: "a", labels: { owner } },
});
const byOwner = { owner: ({ metadata }: KubeObject) => Object.values(metadata.labels ?? {}) };
const names = (objects: KubeObject[]) => objects.map(({ metadata }) => metadata.name);

describe("a cache", () => {
  test("finds objects by namespace and name, and by its indexes", () => {
    const cache = new ObjectCache({ indexes: byOwner });
    for (const [name, owner] of [
      ["p1", "x"],
      ["p2", "x"],
      ["p3", "y"],
    ] as const)
      cache.put(object(name, owner));
    expect(cache.get("a", "p1")).toBeDefined();
    expect(cache.get("b", "p1")).toBeUndefined();
    expect(names(cache.byIndex("owner", "x"))).toEqual(["p1", "p2"]);
    expect(cache.byIndex("owner", "nobody")).toEqual([]);
    expect(cache.size).toBe(3);
  });

  test("moves an object in its indexes when it changes, and forgets one that is taken out", () => {
    const cache = new ObjectCache({ indexes: byOwner });
    cache.put(object("p1", "x"));
    cache.put(object("p1", "y"));
    expect(cache.byIndex("owner", "x")).toEqual([]);
    expect(names(cache.byIndex("owner", "y"))).toEqual(["p1"]);
    cache.remove("a", "p1");
    expect(cache.byIndex("owner", "y")).toEqual([]);
    expect([cache.get("a", "p1"), cache.size]).toEqual([undefined, 0]);
  });

  test("gives the keys alone, and forgets what was read of an object that has changed", () => {
    const cache = new ObjectCache({ indexes: byOwner });
    cache.put(object("p1", "x"));
    cache.put(object("p2", "x"));
    expect(cache.get("a", "p1")).toBe(cache.get("a", "p1"));
    const before = cache.version("a", "p1");
    cache.put(object("p1", "y"));
    expect(cache.get("a", "p1")?.metadata.labels).toEqual({ owner: "y" });
    expect(before?.read().metadata.labels).toEqual({ owner: "x" });
    expect(cache.keys().toSorted()).toEqual(["a/p1", "a/p2"]);
    expect(cache.keysByIndex("owner", "x")).toEqual(["a/p2"]);
  });

  test("says that it lacks an index rather than finding nothing", () => {
    expect(() => new ObjectCache().byIndex("owner", "x")).toThrow("no index owner");
  });
});

test("what is read is what was put, and can't be changed", () => {
  const cache = new ObjectCache<KubeObject>();
  cache.put({ ...object("p1", "x"), metadata: { ...object("p1", "x").metadata, uid: "u", resourceVersion: "3" } });
  expect(cache.get("a", "p1")).toMatchObject({ kind: "Pod", metadata: { labels: { owner: "x" } } });
  expect(Object.isFrozen(cache.get("a", "p1")?.metadata.labels)).toBe(true);
  expect(cache.version("a", "p1")).toMatchObject({ uid: "u", resourceVersion: "3" });
  cache.put(object("p2", "x"));
  expect(names(cache.without(new Set(["a/p2"])))).toEqual(["p1"]);
});

test("through any history, an index finds what a look at every object would", () => {
  const step = fc.record({
    name: fc.constantFrom("p1", "p2", "p3"),
    owners: fc.option(fc.array(fc.constantFrom("x", "y", "z"), { maxLength: 3 })),
  });
  const of = ({ metadata }: KubeObject) => metadata.finalizers ?? [];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const cache = new ObjectCache({ indexes: { owner: of } });
      for (const { name, owners } of steps) {
        if (!owners) cache.remove("a", name);
        else cache.put({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "a", finalizers: owners } });
      }
      for (const owner of ["x", "y", "z"]) {
        const looked = cache.list().filter((it) => of(it).includes(owner));
        expect(new Set(cache.byIndex("owner", owner))).toEqual(new Set(looked));
      }
      expect(cache.size).toBe(cache.list().length);
    }),
  );
});

test("what is in a cache can't be changed", () => {
  const frozen = freezeDeep({ metadata: { labels: { a: "1" } }, list: [{ b: 1 }] });
  expect(() => {
    frozen.metadata.labels.a = "2";
  }).toThrow(TypeError);
  expect(() => frozen.list.push({ b: 2 })).toThrow(TypeError);
});

test("managed fields and kubectl's copy are dropped, the rest stays", () => {
  const last = "kubectl.kubernetes.io/last-applied-configuration";
  const lemnis = { manager: "lemnis", operation: "Apply" as const };
  const metadata = { name: "p1", managedFields: [lemnis], annotations: { [last]: "{}", kept: "1" } };
  expect(trimObject({ apiVersion: "v1", kind: "Pod", metadata })).toEqual({
    ...{ apiVersion: "v1", kind: "Pod" },
    metadata: { name: "p1", annotations: { kept: "1" } },
  });
});
