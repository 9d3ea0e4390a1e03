import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore, runResult, sha256 } from "../../test/builders/store.ts";

let store: Awaited<ReturnType<typeof openStore>>;
beforeEach(async () => {
  store = await openStore();
});
afterEach(() => store.close());

const key = { namespace: "a", job: "wine", digest: sha256("run") };
const failed = runResult({ phase: "Failed", reason: "OutOfMemory", message: "raise the limit" });

async function succeeded(content = "model", metrics = { accuracy: 0.9 }) {
  const file = await store.upload("a", content);
  return runResult({ metrics, model: { name: "wine", format: "sklearn", files: [file] } });
}

describe("a run", () => {
  test("that succeeded has made a version of its model, with the run's metrics", async () => {
    const { run, created } = await store.runs.put(key, await succeeded());
    expect(created).toBe(true);
    expect(run).toMatchObject({ digest: key.digest, phase: "Succeeded", model: { name: "wine", version: 1 } });
    expect((await store.models.read("a", "wine")).versions).toMatchObject([
      { version: 1, metrics: { accuracy: 0.9 }, source: { trainingJob: "wine", run: key.digest }, evaluations: [] },
    ]);
  });

  test("that succeeded is final: the same again is the same, another outcome is refused", async () => {
    const result = await succeeded();
    const { run } = await store.runs.put(key, result);
    const late = { ...result, finishedAt: "2026-03-01T11:00:00.000Z" };
    expect(await store.runs.put(key, late)).toEqual({ run, created: false });
    await expect(store.runs.put(key, failed)).rejects.toThrow(/has succeeded already and is final/);
    expect((await store.models.read("a", "wine")).versions).toHaveLength(1);
  });

  test("that failed may fail again and succeed yet", async () => {
    await store.runs.put(key, failed);
    await store.runs.put(key, { ...failed, reason: "ContainerFailed" });
    expect(await store.runs.read("a", "wine")).toMatchObject([{ phase: "Failed", reason: "ContainerFailed" }]);
    await store.runs.put(key, await succeeded());
    expect(await store.runs.read("a", "wine")).toMatchObject([{ phase: "Succeeded", model: { version: 1 } }]);
  });

  test("and its model are there both or neither", async () => {
    const file = { path: "model.joblib", size: 3, digest: sha256("not uploaded") };
    const result = runResult({ model: { name: "wine", format: "sklearn", files: [file] } });
    await expect(store.runs.put(key, result)).rejects.toThrow(/are not here/);
    expect(await store.runs.read("a", "wine")).toEqual([]);
    expect((await store.models.read("a", "wine")).versions).toEqual([]);
  });

  test("that makes the same files as another makes no other version", async () => {
    await store.runs.put(key, await succeeded());
    const { run } = await store.runs.put({ ...key, digest: sha256("another run") }, await succeeded());
    expect(run.model).toMatchObject({ version: 1 });
    expect((await store.models.read("a", "wine")).versions).toHaveLength(1);
  });
});

test("runs are read newest first, each namespace's and job's apart", async () => {
  const times = ["2026-03-01T10:01:00.000Z", "2026-03-01T10:03:00.000Z", "2026-03-01T10:02:00.000Z"];
  for (const finishedAt of times) {
    await store.runs.put({ ...key, digest: sha256(finishedAt) }, runResult({ finishedAt }));
  }
  expect((await store.runs.read("a", "wine")).map(({ finishedAt }) => finishedAt)).toEqual([...times].sort().reverse());
  expect([await store.runs.read("b", "wine"), await store.runs.read("a", "other")]).toEqual([[], []]);
});
