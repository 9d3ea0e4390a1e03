import { describe, expect, test } from "vitest";
import { child, plan as planService, readyOf, selectorOf } from "../../../test/builders/inference-service.ts";
import { digestOf, inferenceService, model } from "../../../test/builders/kinds.ts";
import { nothingServed } from "../../../test/builders/observed.ts";
import { decision, modelVersion } from "../../../test/builders/records.ts";
import { settings } from "../../../test/builders/settings.ts";
import { deployed } from "../../../test/builders/workloads.ts";
import type { Model } from "../../api/v1alpha1/model.ts";
import type { KubeObject } from "../../kube/types.ts";
import { StoreError } from "../../store/client.ts";
import type { Service } from "../children/types.ts";
import type { World } from "../context.ts";
import { observeInferenceService } from "./observe.ts";
import { planInferenceService } from "./plan.ts";

/** Its status shows versions 30 to 11. */
const many: Model = model(
  {},
  {
    versions: Array.from({ length: 20 }, (_, index) => ({
      ...{ version: 30 - index, digest: digestOf(`model ${30 - index}`), source: "run", stage: "Passed" as const },
    })),
  },
);
const pinnedTo = (version: number) => inferenceService({ modelRef: { name: "wine", version } });

/** What is observed in a namespace that has this Model alone, and what the store was asked for. */
async function observe(version: number, answer: () => unknown) {
  const asked: string[] = [];
  const nothing = { get: () => undefined, list: () => [], byIndex: () => [] };
  const caches = new Proxy({}, { get: (_, name) => (name === "models" ? { get: () => many } : nothing) });
  const store = {
    getModelVersion: async (_: string, name: string, wanted: string) => {
      asked.push(`${name} ${wanted}`);
      return answer();
    },
  };
  const world = { caches, store, has: () => false } as unknown as World;
  const { pinned } = await observeInferenceService(world, pinnedTo(version));
  return { pinned, asked };
}
const found = modelVersion(3, { decision: decision("Passed", digestOf("gates")) });

describe("a version that the manifest is pinned to", () => {
  test.each([3, 11, 30, 31])("is asked for where the Model's status has no room for it: %i", async (version) => {
    const { asked } = await observe(version, () => found);
    expect(asked).toEqual(version === 3 ? ["wine 3"] : []);
  });

  test("is absent where the store has none, and unknown while the store is away", async () => {
    const none = await observe(3, () => {
      throw new StoreError(404, "NotFound", "no such version");
    });
    expect(none.pinned).toEqual({ found: undefined });
    const away = await observe(3, () => {
      throw new StoreError(0, "Unreachable", "away");
    });
    expect(away.pinned).toEqual({ unavailable: "away" });
  });
});

describe("of such a version", () => {
  const plan = (pinned: Awaited<ReturnType<typeof observe>>["pinned"]) =>
    planInferenceService(
      { ...nothingServed, service: pinnedTo(3), model: many, pinned },
      settings,
      new Date("2026-03-01T10:07:00Z"),
    );

  test("a service is made, when it has passed", () => {
    expect(plan({ found }).apply.map(({ object }) => object.kind)).toEqual(["Deployment", "Service"]);
  });

  test.each([
    ["has failed", { found: modelVersion(3, { decision: decision("Failed", digestOf("gates")) }) }, "VersionFailed"],
    ["is not judged", { found: modelVersion(3) }, "VersionNotJudged"],
    ["is not there", { found: undefined }, "VersionNotFound"],
    ["can't be asked for", { unavailable: "away" }, "StoreUnavailable"],
  ])("none is made when it %s", (_, pinned, reason) => {
    const planned = plan(pinned);
    expect(planned.apply).toEqual([]);
    expect(planned.status.conditions?.[0]).toMatchObject({ type: "Ready", status: "False", reason });
  });
});

describe("of such a version, while the store is away,", () => {
  const first = planService(pinnedTo(3), { model: many, pinned: { found } });
  const deploymentOf = (planned: typeof first, ready: number) =>
    deployed(child(planned, "Deployment") as KubeObject, ready);
  const old = deploymentOf(first, 1);
  const front = child(first, "Service") as Service;
  const { status } = planService(pinnedTo(3), { model: many, pinned: { found }, deployments: [old], front });
  const service = { ...pinnedTo(3), ...(status ? { status } : {}) };
  const away = { model: many, pinned: { unavailable: "away" } };

  test("a service goes on, its Service is put back, and the store is asked again soon", () => {
    const planned = planService(service, { ...away, deployments: [old], front: undefined });
    expect(planned.apply.map(({ object }) => object)).toEqual([front]);
    expect(planned.delete).toEqual([]);
    expect(planned.status).toMatchObject({ modelVersion: 3 });
    expect(readyOf(planned)).toMatchObject({ status: "True", reason: "StoreUnavailable" });
    expect(planned.outcome).toEqual({ kind: "waiting", requeueAfterMs: 10_050 });
  });

  test("a service without a pod is not ready", () => {
    const planned = planService(service, { ...away, deployments: [deploymentOf(first, 0)], front });
    expect(readyOf(planned)).toMatchObject({ status: "False", reason: "StoreUnavailable", message: "away" });
  });

  test("a revision of it that starts stays, and has no traffic yet", () => {
    const edited = { ...service, spec: { ...service.spec, resources: { limits: { memory: "1Gi" } } } };
    const rollout = planService(edited, { model: many, pinned: { found }, deployments: [old], front });
    const fresh = deploymentOf(rollout, 1);
    const planned = planService(edited, { ...away, deployments: [old, fresh], front });
    expect(planned).toMatchObject({ apply: [], delete: [] });
    expect(planned.status?.revisions).toHaveLength(2);
    expect(selectorOf(planned)).toBeUndefined();
  });
});
