import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { datasetInput, openStore, runResult, sha256 } from "../../test/builders/store.ts";

let store: ReturnType<typeof openStore>;
beforeEach(() => {
  store = openStore();
});
afterEach(() => store.close());

async function register(content: string, { retain = 10, name = "wine", namespace = "a" } = {}) {
  const file = await store.upload(namespace, content);
  return store.datasets.register(namespace, name, datasetInput([file], { retain }));
}
const numbers = () => store.datasets.read("a", "wine").versions.map(({ version }) => version);

describe("a version", () => {
  test("is numbered from 1, newest first, and current", async () => {
    expect(store.datasets.read("a", "wine")).toEqual({ versions: [] });
    await register("one");
    expect(await register("two")).toMatchObject({ created: true, version: { version: 2, digest: expect.any(String) } });
    expect(numbers()).toEqual([2, 1]);
    expect(store.datasets.read("a", "wine").current).toBe(2);
  });

  test("of the same files is the same version, and current again", async () => {
    await register("one");
    await register("two");
    expect(await register("one")).toMatchObject({ created: false, version: { version: 1 } });
    expect(store.datasets.read("a", "wine")).toMatchObject({ current: 1, versions: [{ version: 2 }, { version: 1 }] });
  });

  test("is found by number and by digest, with files and profile", async () => {
    const { version } = await register("one");
    for (const id of ["1", version.digest]) {
      expect(store.datasets.detail("a", "wine", id)).toMatchObject({
        version: 1,
        files: [{ path: "all/data.csv" }],
        profile: [],
      });
    }
    expect(store.datasets.detail("a", "wine", "2")).toBeUndefined();
    expect(store.datasets.detail("b", "wine", "1")).toBeUndefined();
  });

  test("needs its manifest's digest, and its bytes", async () => {
    const file = await store.upload("a", "one");
    const wrong = datasetInput([file], { digest: sha256("other") });
    expect(() => store.datasets.register("a", "wine", wrong)).toThrow(/the files' manifest has sha256:/);
    const missing = datasetInput([{ path: "all/data.csv", size: 3, digest: sha256("not uploaded") }]);
    expect(() => store.datasets.register("a", "wine", missing)).toThrow(/are not here/);
    expect(numbers()).toEqual([]);
  });
});

describe("retention", () => {
  test("keeps that many, and never gives a number twice", async () => {
    for (const content of ["one", "two", "three"]) await register(content, { retain: 2 });
    expect(numbers()).toEqual([3, 2]);
    expect(await register("one", { retain: 1 })).toMatchObject({ created: true, version: { version: 4 } });
    expect(numbers()).toEqual([4]);
  });

  test("keeps what a run or an evaluation used, and what is current, with its bytes", async () => {
    const { version } = await register("trained on");
    const { digest } = version;
    store.runs.put(
      { namespace: "a", job: "wine", digest: sha256("run") },
      runResult({ inputs: [{ name: "train", dataset: "wine", version: 1, digest }] }),
    );
    for (const content of ["two", "three"]) await register(content, { retain: 1 });
    expect(numbers()).toEqual([3, 1]);
    expect(await store.blobs.isIntact("a", sha256("trained on"))).toBe(true);
    await register("trained on", { retain: 1 });
    await register("four", { retain: 1 });
    expect(numbers()).toEqual([4, 1]);
  });

  test("gives up the bytes of what it forgets, unless another version has them", async () => {
    await register("one");
    await register("one", { name: "copy" });
    await register("two");
    await register("three", { retain: 1 });
    store.database.run("UPDATE blobs SET created_at = 0");
    await store.blobs.collect(1);
    expect(store.blobs.size("a", sha256("one"))).toBe(3);
    expect(store.blobs.size("a", sha256("two"))).toBeUndefined();
  });
});

test("whatever is registered, digests are unique, numbers only grow, and the last one registered is current", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ content: fc.constantFrom("a", "b", "c", "d"), retain: fc.integer({ min: 1, max: 3 }) }), {
        maxLength: 12,
      }),
      async (steps) => {
        const own = openStore();
        let highest = 0;
        for (const { content, retain } of steps) {
          const file = await own.upload("a", content);
          const { version, created } = own.datasets.register("a", "wine", datasetInput([file], { retain }));
          if (created) expect(version.version).toBe(++highest);
          const { versions, current } = own.datasets.read("a", "wine");
          expect(new Set(versions.map(({ digest }) => digest)).size).toBe(versions.length);
          expect(current).toBe(version.version);
          expect(versions.map(({ version }) => version)).toContain(current);
        }
        own.close();
      },
    ),
    { numRuns: 30 },
  );
});
