/** What the API server refuses is told to the user, and nothing of others is touched. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inReverse, manifests, metadata, reason } from "./wine.ts";
import { runtimes, startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.startOperator();
});
afterAll(() => world?.stop());

describe("what can't be made is told", () => {
  test("a name that somebody else's Service has", async () => {
    await world.makeNamespace("taken");
    const theirs = {
      kind: "Service",
      apiVersion: "v1",
      metadata,
      spec: { selector: { app: "theirs" }, ports: [{ name: "http", port: 80 }] },
    };
    await world.apply("taken", theirs, ...runtimes, ...inReverse);
    const service = await world.until("taken", "InferenceService", "wine", (object) => reason(object) === "NameTaken");
    expect(service.status.conditions[0].message).toMatch(/Service wine exists already/);
    expect(await world.get("taken", "Service", "wine")).toMatchObject({ spec: { selector: { app: "theirs" } } });
  });

  test("a Job that a quota forbids", async () => {
    await world.makeNamespace("quota");
    const quota = {
      kind: "ResourceQuota",
      apiVersion: "v1",
      metadata: { name: "none" },
      spec: { hard: { "count/jobs.batch": "0" } },
    };
    await world.apply("quota", quota);
    await world.until("quota", "ResourceQuota", "none", ({ status }) => status?.hard !== undefined);
    await world.apply("quota", manifests.dataset);
    const dataset = await world.until("quota", "Dataset", "wine", (object) => reason(object) === "ChildRefused");
    expect(dataset.status.conditions[0].message).toMatch(/exceeded quota: none/);
  });
});
