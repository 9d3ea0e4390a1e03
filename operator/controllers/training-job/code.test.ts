import { beforeEach, expect, test } from "vitest";
import { namespace, trainingJob } from "../../../test/builders/kinds.ts";
import { codeDigest } from "../../api/digest.ts";
import { ObjectCache } from "../../kube/cache.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { World } from "../context.ts";
import { type Code, codeOf } from "./code.ts";

const subject = trainingJob({ code: { configMapRef: { name: "code" } } });
const configMap = (resourceVersion: string, contents: object = {}) => ({
  ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "code", namespace, resourceVersion } },
  ...contents,
});

let cache: ObjectCache<KubeObject>;
/** What the API server has; how often it was asked. */
let stored: KubeObject;
let reads: number;
let world: World;

beforeEach(() => {
  cache = new ObjectCache();
  reads = 0;
  const client = {
    get: async () => {
      reads++;
      return stored;
    },
  };
  world = { caches: { configMaps: cache }, client } as unknown as World;
});

const codeDigestOf = async (...input: Parameters<typeof codeOf>) => ((await codeOf(...input)) as Code).digest;

test("there is none when none is named, and a ConfigMap that is not there is waited for", async () => {
  expect(await codeOf(world, subject)).toMatchObject({
    reason: "CodeNotFound",
    message: expect.stringMatching(/^ConfigMap code/),
  });
  expect(await codeOf(world, trainingJob())).toBeUndefined();
  expect(reads).toBe(0);
});

test("texts and binary files count, and are read once a change", async () => {
  cache.put(configMap("1"));
  stored = configMap("1", { data: { "a.py": "x" }, binaryData: { "b.zip": "AP8=" } });
  const first = await codeDigestOf(world, subject);
  expect(first).toBe(codeDigest({ "a.py": Buffer.from("x").toString("base64"), "b.zip": "AP8=" }));
  expect(await codeDigestOf(world, subject)).toBe(first);
  expect(reads).toBe(1);
  cache.put(configMap("2"));
  stored = configMap("2", { data: { "a.py": "y" } });
  expect(await codeDigestOf(world, subject)).not.toBe(first);
  expect(reads).toBe(2);
});

test("what is newer than the cache is not remembered under the old version", async () => {
  cache.put(configMap("1"));
  stored = configMap("2", { data: { "a.py": "new" } });
  await codeDigestOf(world, subject);
  await codeDigestOf(world, subject);
  expect(reads).toBe(2);
});
