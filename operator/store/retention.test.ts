import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { datasetInput, openStore, runResult, sha256 } from "../../test/builders/store.ts";
import type { Parent } from "./dataset-api.ts";

const hour = 3600_000;
let now: number;
let store: Awaited<ReturnType<typeof openStore>>;
beforeEach(async () => {
  now = 1_000 * hour;
  store = await openStore({ now: () => now });
});
afterEach(() => store.close());

interface Registration {
  retain?: number;
  name?: string;
  parents?: Parent[];
}

/** Registers a version, long enough after the one before it that no run is about to ask for that. */
async function register(content: string, { retain = 1, name = "wine", parents }: Registration = {}) {
  const file = await store.upload("a", content);
  const input = datasetInput([file], { retain, ...(parents ? { parents } : {}) });
  const { version } = await store.datasets.register("a", name, input);
  now += hour;
  return version;
}
const numbers = async (name = "wine") => (await store.datasets.read("a", name)).versions.map(({ version }) => version);

test("as many stay as were asked for, and no number is given twice", async () => {
  for (const content of ["one", "two", "three", "four"]) await register(content, { retain: 2 });
  expect(await numbers()).toEqual([4, 3]);
  await store.retention.retireAll();
  expect(await register("one")).toMatchObject({ version: 5 });
  await store.retention.retireAll();
  expect(await numbers()).toEqual([5]);
});

test("fewer stay as soon as fewer are asked for, and more from then on, without another version", async () => {
  for (const content of ["one", "two", "three", "four"]) await register(content, { retain: 10 });
  await store.datasets.retain("a", "wine", 2);
  expect(await numbers()).toEqual([4, 3]);
  await store.datasets.retain("a", "wine", 3);
  await store.datasets.retain("a", "none", 3);
  await store.retention.retireAll();
  expect([await numbers(), await numbers("none")]).toEqual([[4, 3], []]);
});

test("a version that was current a moment ago is still there for the run that starts with it", async () => {
  await register("one");
  await register("two");
  now -= hour;
  await store.retention.retireAll();
  expect(await numbers()).toEqual([2, 1]);
  now += hour - 1;
  await store.retention.retireAll();
  expect(await numbers()).toEqual([2, 1]);
  now += 1;
  await store.retention.retireAll();
  expect(await numbers()).toEqual([2]);
});

test("a version that a pod has asked for stays for a day after", async () => {
  const { digest } = await register("one");
  await store.datasets.detail("a", "wine", digest);
  await register("two");
  await register("three");
  expect(await numbers()).toEqual([3, 2, 1]);
  now += 22 * hour;
  await store.retention.retireAll();
  expect(await numbers()).toEqual([3]);
});

test("a version that a run in a queue will ask for stays for a week", async () => {
  const { digest } = await register("one");
  await store.datasets.keepForRun("a", "wine", digest);
  await store.datasets.keepForRun("a", "wine", sha256("not there"));
  // A shorter promise takes nothing from a longer one.
  await store.datasets.detail("a", "wine", digest);
  await register("two");
  now += 6 * 24 * hour;
  await store.retention.retireAll();
  expect(await numbers()).toEqual([2, 1]);
  now += 24 * hour;
  await store.retention.retireAll();
  expect(await numbers()).toEqual([2]);
});

describe("what something was made from stays", () => {
  test("with its bytes: a run, an evaluation", async () => {
    const { digest } = await register("trained on");
    const inputs = [{ name: "train", dataset: "wine", version: 1, digest }];
    await store.runs.put({ namespace: "a", job: "wine", digest: sha256("run") }, runResult({ inputs }));
    for (const content of ["two", "three", "four"]) await register(content);
    await store.retention.retireAll();
    expect(await numbers()).toEqual([4, 1]);
    expect(await store.blobs.isIntact("a", sha256("trained on"))).toBe(true);
  });

  test("another dataset's version, for as long as that is there itself", async () => {
    const raw = await register("raw", { name: "raw" });
    const parent = { dataset: "raw", version: 1, digest: raw.digest };
    await register("derived", { parents: [parent] });
    await register("newer raw", { name: "raw" });
    await store.retention.retireAll();
    expect(await numbers("raw")).toEqual([2, 1]);
    await register("derived otherwise");
    // First the version goes that was derived, then what nothing was derived from any more.
    for (let round = 0; round < 2; round++) await store.retention.retireAll();
    expect(await numbers()).toEqual([2]);
    expect(await numbers("raw")).toEqual([2]);
  });

  test("and must be there when it is said to have been made from it", async () => {
    const parents = [{ dataset: "raw", version: 1, digest: sha256("gone") }];
    await expect(register("derived", { parents })).rejects.toThrow(/parents: raw has no version sha256:/);
    expect(await numbers()).toEqual([]);
  });
});

test("the bytes of what is forgotten are given up, unless another version has them", async () => {
  await register("one");
  await register("one", { name: "copy" });
  await register("two");
  await register("three");
  await store.retention.retireAll();
  await store.database.run("UPDATE blobs SET created_at = 0");
  await store.blobs.collect(1);
  expect(await store.blobs.size("a", sha256("one"))).toBe(3);
  expect(await store.blobs.size("a", sha256("two"))).toBeUndefined();
  expect(await store.blobs.size("a", sha256("three"))).toBe(5);
});

test("versions are registered while others are given up", async () => {
  for (const name of ["x", "y", "z"]) await register("one", { name });
  const retiring = store.retention.retireAll();
  await register("two", { name: "y" });
  await retiring;
  expect((await numbers("y"))[0]).toBe(2);
});
