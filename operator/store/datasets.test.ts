import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { datasetInput, fileOf, openStore, sha256 } from "../../test/builders/store.ts";

let store: Awaited<ReturnType<typeof openStore>>;
beforeEach(async () => {
  store = await openStore();
});
afterEach(() => store.close());

async function register(content: string, { retain = 10, name = "wine", namespace = "a" } = {}) {
  const file = await store.upload(namespace, content);
  return store.datasets.register(namespace, name, datasetInput([file], { retain }));
}
const numbers = async () => (await store.datasets.read("a", "wine")).versions.map(({ version }) => version);

describe("a version", () => {
  test("is numbered from 1, newest first, and current", async () => {
    expect(await store.datasets.read("a", "wine")).toEqual({ versions: [] });
    await register("one");
    expect(await register("two")).toMatchObject({ created: true, version: { version: 2, digest: expect.any(String) } });
    expect(await numbers()).toEqual([2, 1]);
    expect((await store.datasets.read("a", "wine")).current).toBe(2);
  });

  test("of the same files is the same version, and current again", async () => {
    await register("one");
    await register("two");
    expect(await register("one")).toMatchObject({ created: false, version: { version: 1 } });
    expect(await store.datasets.read("a", "wine")).toMatchObject({
      current: 1,
      versions: [{ version: 2 }, { version: 1 }],
    });
  });

  test("is found by number and by digest, with files and profile", async () => {
    const { version } = await register("one");
    for (const id of ["1", version.digest]) {
      expect(await store.datasets.detail("a", "wine", id)).toMatchObject({
        version: 1,
        files: [{ path: "all/data.csv" }],
        profile: [],
      });
    }
    expect(await store.datasets.detail("a", "wine", "2")).toBeUndefined();
    expect(await store.datasets.detail("b", "wine", "1")).toBeUndefined();
  });

  test("needs its manifest's digest, and its bytes", async () => {
    const file = await store.upload("a", "one");
    const wrong = datasetInput([file], { digest: sha256("other") });
    await expect(store.datasets.register("a", "wine", wrong)).rejects.toThrow(/the files' manifest has sha256:/);
    const missing = datasetInput([{ path: "all/data.csv", size: 3, digest: sha256("not uploaded") }]);
    await expect(store.datasets.register("a", "wine", missing)).rejects.toThrow(/are not here/);
    expect(await numbers()).toEqual([]);
  });
});

describe("a version that is registered again", () => {
  test("is what was said of it last: a column that is sensitive now has no values left in the profile", async () => {
    const file = await store.upload("a", "one");
    const values = { count: 1, nulls: 0, distinct: 1 };
    const profile = [{ name: "id", type: "String" as const, ...values, topValues: [{ value: "secret", count: 1 }] }];
    const source = { uri: "http://host/data.csv", state: "etag 1" };
    await store.datasets.register("a", "wine", datasetInput([file], { profile, source }));
    const told = { profile: [], source: { ...source, state: "etag 2" }, recipe: sha256("recipe") };
    const { version, created } = await store.datasets.register("a", "wine", datasetInput([file], told));
    expect(created).toBe(false);
    expect(await store.datasets.detail("a", "wine", "1")).toEqual({
      ...version,
      ...{ source: told.source, recipe: told.recipe, profile: [], files: [file] },
    });
  });

  test("as another format, with other columns or another dialect, is the next revision; as the same, none", async () => {
    const file = await store.upload("a", "one");
    const id = { name: "id", type: "Int64" as const, nullable: false };
    const revision = async (changes: Parameters<typeof datasetInput>[1]) => {
      const { version } = await store.datasets.register("a", "wine", datasetInput([file], changes));
      expect(version.version).toBe(1);
      expect((await store.datasets.detail("a", "wine", "1"))?.revision).toBe(version.revision);
      return version.revision;
    };
    const same = { profile: [], recipe: sha256("recipe"), source: { uri: "http://elsewhere/data.csv" } };
    expect(await revision({ columns: [id] })).toBeUndefined();
    expect(await revision({ ...same, columns: [id] })).toBeUndefined();
    expect(await revision({ columns: [{ ...id, role: "Key" }] })).toBe(2);
    expect(await revision({ ...same, columns: [{ ...id, role: "Key" }] })).toBe(2);
    expect(await revision({ columns: [{ ...id, role: "Key" }], csv: { header: true, nullValues: ["0"] } })).toBe(3);
    expect(await revision({ format: "Files" })).toBe(4);
  });

  test("by reference needs no bytes here, and gives back those that it had", async () => {
    const file = await store.upload("a", "one");
    const origins = [{ path: file.path, uri: "s3://bucket/one.csv", etag: "1" }];
    await store.datasets.register("a", "wine", datasetInput([file]));
    await store.datasets.register("a", "wine", datasetInput([file], { origins }));
    expect(await store.datasets.detail("a", "wine", "1")).toMatchObject({ origins });
    await store.database.run("UPDATE blobs SET created_at = 0");
    expect(await store.blobs.collect(1)).toBe(1);
    await expect(store.datasets.register("a", "wine", datasetInput([file]))).rejects.toThrow(/are not here/);
  });
});

test("a version by reference has an origin a file", async () => {
  const files = ["one", "two"].map((content) => fileOf(content, `all/${content}`));
  const origins = ["one", "two", "three"].map((name) => ({ path: `all/${name}`, uri: `s3://bucket/${name}` }));
  const register = (count: number) =>
    store.datasets.register("a", "wine", datasetInput(files, { origins: origins.slice(0, count) }));
  await expect(register(1)).rejects.toThrow(/origins: there is none for all\/two/);
  await expect(register(3)).rejects.toThrow(/origins: there are more than files/);
  expect((await register(2)).created).toBe(true);
});

test("whatever is registered, digests are unique, numbers only grow, and the last one registered is current", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ content: fc.constantFrom("a", "b", "c", "d"), retain: fc.integer({ min: 1, max: 3 }) }), {
        maxLength: 12,
      }),
      async (steps) => {
        const own = await openStore();
        let highest = 0;
        for (const { content, retain } of steps) {
          const file = await own.upload("a", content);
          const { version, created } = await own.datasets.register("a", "wine", datasetInput([file], { retain }));
          if (created) expect(version.version).toBe(++highest);
          const { versions, current } = await own.datasets.read("a", "wine");
          expect(new Set(versions.map(({ digest }) => digest)).size).toBe(versions.length);
          expect(current).toBe(version.version);
          expect(versions.map(({ version }) => version)).toContain(current);
        }
        await own.close();
      },
    ),
    { numRuns: 30 },
  );
}, 60_000);
