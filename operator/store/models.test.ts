import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decision } from "../../test/builders/records.ts";
import { fileOf, openStore, sha256 } from "../../test/builders/store.ts";
import type { EvaluationInput } from "./api.ts";

let store: Awaited<ReturnType<typeof openStore>>;
beforeEach(async () => {
  store = await openStore();
});
afterEach(() => store.close());

async function register(content: string) {
  const file = await store.upload("a", content);
  const source = { uri: "s3://models/a.joblib", digest: file.digest };
  const input = { format: "sklearn", files: [file], source, metrics: {} };
  return store.models.import("a", "wine", input);
}

const version = { namespace: "a", name: "wine", version: "1" };
const evaluation = (accuracy: number): EvaluationInput => ({
  ...{ dataset: "wine", datasetVersion: 1, datasetDigest: sha256("data"), split: "test", rows: 20 },
  metrics: { accuracy },
});

test("the same files are the same version; others are the next", async () => {
  expect(await register("one")).toMatchObject({ created: true, version: { version: 1, bytes: 3 } });
  expect(await register("one")).toMatchObject({ created: false, version: { version: 1 } });
  expect(await register("two")).toMatchObject({ created: true, version: { version: 2 } });
  expect(await store.models.detail("a", "wine", "2")).toMatchObject({ version: 2, files: [fileOf("two")] });
});

describe("an evaluation", () => {
  test("holds as it was first put", async () => {
    await register("one");
    const digest = sha256("evaluation");
    expect(await store.models.putEvaluation(version, digest, evaluation(0.9))).toMatchObject({ created: true });
    expect(await store.models.putEvaluation(version, digest, evaluation(0.1))).toMatchObject({
      created: false,
      evaluation: { metrics: { accuracy: 0.9 } },
    });
    expect((await store.models.read("a", "wine")).versions[0]?.evaluations).toHaveLength(1);
  });

  test("needs its version", async () => {
    await expect(store.models.putEvaluation(version, sha256("e"), evaluation(1))).rejects.toThrow(
      /version 1 of model wine does not exist/,
    );
  });
});

test("the last decision holds", async () => {
  await register("one");
  await store.models.putDecision(version, decision("Failed", sha256("gates")));
  await store.models.putDecision(version, decision("Passed", sha256("gates")));
  expect((await store.models.read("a", "wine")).versions[0]?.decision).toMatchObject({ verdict: "Passed" });
});

test("an alias names a version that is there, and moves", async () => {
  await register("one");
  await register("two");
  const alias = { namespace: "a", name: "wine", alias: "champion" };
  await store.models.putAlias(alias, 1);
  await store.models.putAlias(alias, 2);
  expect((await store.models.read("a", "wine")).aliases).toEqual({ champion: 2 });
  await expect(store.models.putAlias(alias, 9)).rejects.toThrow(/version 9 of model wine does not exist/);
});
