import { describe, expect, test } from "vitest";
import {
  championOf,
  child,
  plan,
  readyOf,
  type Situation,
  selectorOf,
  serving,
} from "../../../test/builders/inference-service.ts";
import { digestOf, inferenceService, model, servingRuntime, start } from "../../../test/builders/kinds.ts";
import { nothingServed } from "../../../test/builders/observed.ts";
import { settings } from "../../../test/builders/settings.ts";
import { deployed, ended, pod, refused, told, waiting } from "../../../test/builders/workloads.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { Deployment, Service } from "../children/types.ts";
import { planInferenceService } from "./plan.ts";

describe("a new service", () => {
  test("gets a Deployment of the champion and a Service on it", () => {
    const planned = plan(inferenceService());
    const deployment = child(planned, "Deployment") as Deployment;
    expect(deployment.metadata.annotations).toEqual({ "lemnis.dev/model-version": "1" });
    expect(selectorOf(planned)).toEqual({ "lemnis.dev/workload": deployment.metadata.name });
    expect(readyOf(planned)).toMatchObject({ status: "False", reason: "RollingOut" });
    expect(planned.apply.map(({ object }) => object.kind)).toEqual(["Deployment", "Service"]);
  });

  test.each<[string, Situation, object, RegExp]>([
    ["ModelNotFound", { model: undefined }, {}, /Model wine/],
    ["AliasNotFound", { model: model() }, {}, /alias champion/],
    ["AliasNotFound", {}, { modelRef: { name: "wine", alias: "stable" } }, /alias stable/],
    ["VersionNotFound", {}, { modelRef: { name: "wine", version: 9 } }, /no version 9/],
    ["RuntimeNotFound", { runtimes: [] }, {}, /no ServingRuntime lists the format sklearn/],
  ])("waits: %s", (reason, situation, spec, says) => {
    const planned = plan(inferenceService(spec), situation);
    expect(planned).toMatchObject({ apply: [], outcome: { kind: "waiting" } });
    expect(readyOf(planned)).toMatchObject({ status: "False", reason, message: expect.stringMatching(says) });
  });

  test("of a version that failed its gates stalls", () => {
    const failed = {
      version: 1,
      digest: digestOf("model 1"),
      source: "run",
      stage: "Failed" as const,
      message: "too bad",
    };
    const planned = plan(inferenceService({ modelRef: { name: "wine", version: 1 } }), {
      model: championOf(2, { versions: [failed] }),
    });
    expect(planned).toMatchObject({ apply: [], outcome: { kind: "stalled" } });
    expect(readyOf(planned)).toMatchObject({ reason: "VersionFailed", message: expect.stringContaining("too bad") });
  });
});

describe("a rollout", () => {
  const { deployment: old, front, service } = serving();
  const next = { model: championOf(2), front };
  const starting = plan(service, { ...next, deployments: [old] });
  const fresh = child(starting, "Deployment") as KubeObject;

  test("starts the new revision beside the old one, which keeps the traffic", () => {
    expect(fresh.metadata.name).not.toBe(old.metadata.name);
    expect(child(starting, "Service")).toBeUndefined();
    expect(starting.delete).toEqual([]);
    expect(readyOf(starting)).toMatchObject({
      status: "True",
      reason: "RollingOut",
      message: expect.stringContaining("keeps serving"),
    });
  });

  test("does not move the traffic before the new revision is ready", () => {
    const planned = plan(service, { ...next, deployments: [old, deployed(fresh, 0)] });
    expect(child(planned, "Service")).toBeUndefined();
    expect(planned.status).toMatchObject({ modelVersion: 1 });
  });

  test("moves the traffic when it is ready, drains the old revision, then removes it", () => {
    const deployments = [old, deployed(fresh, 1)];
    const moving = plan(service, { ...next, deployments });
    expect(selectorOf(moving)).toEqual({ "lemnis.dev/workload": fresh.metadata.name });
    expect(moving.delete).toEqual([]);
    expect(moving.events).toContainEqual(expect.objectContaining({ reason: "TrafficMoved" }));
    expect(moving.status).toMatchObject({
      modelVersion: 2,
      revisions: [{ trafficPercent: 100 }, { trafficPercent: 0, drainUntil: "2026-03-01T10:07:30.000Z" }],
    });
    expect(moving.outcome).toEqual({ kind: "waiting", requeueAfterMs: 30_050 });

    const moved = { ...next, front: child(moving, "Service") as Service, deployments };
    const drained = inferenceService({}, moving.status);
    expect(plan(drained, { ...moved, now: new Date(start.getTime() + 29_000) }).delete).toEqual([]);
    const after = plan(drained, { ...moved, now: new Date(start.getTime() + 30_050) });
    expect(after.delete).toMatchObject([{ name: old.metadata.name, uid: old.metadata.uid }]);
    expect(after.status.revisions).toHaveLength(1);
  });

  test("back to one that drains makes another version of its Deployment before it has the traffic, and once", () => {
    const moving = plan(service, { ...next, deployments: [old, deployed(fresh, 1)] });
    const late = { front: child(moving, "Service") as Service, now: new Date(start.getTime() + 60_000) };
    const drained = inferenceService({}, moving.status);
    const back = plan(drained, { ...late, deployments: [old, deployed(fresh, 1)] });
    expect(child(back, "Service")).toBeUndefined();
    expect(back.delete).toEqual([]);
    const spared = child(back, "Deployment") as KubeObject;
    expect(spared.metadata.annotations).not.toEqual(old.metadata.annotations);
    const deployments = [deployed(spared, 1), deployed(fresh, 1)];
    const moved = plan(drained, { ...late, deployments });
    expect(moved.apply.map(({ object }) => object)).toMatchObject([spared, { metadata: front.metadata }]);
    const after = plan(inferenceService({}, moved.status), { ...late, front, deployments });
    expect(child(after, "Deployment")).toEqual(spared);
  });

  test("that is given up before it had traffic removes the new revision at once", () => {
    const planned = plan(service, { front, deployments: [old, deployed(fresh, 0)] });
    expect(planned.delete).toMatchObject([{ name: fresh.metadata.name }]);
    expect(readyOf(planned)).toMatchObject({ reason: "Serving" });
  });

  test.each([
    ["ImagePullFailed", waiting("runtime", "ImagePullBackOff", "no such image"), /no such image/],
    ["DigestMismatch", { ...told("stage", "DigestMismatch", "other bytes"), restartCount: 1 }, /other bytes/],
    ["ContainerFailed", { ...ended("runtime", 1), restartCount: 1 }, /logs/],
  ])("that can't start says %s, and the old revision keeps serving", (reason, container, says) => {
    const pods = [pod(fresh.metadata.name, container)];
    const planned = plan(service, { ...next, deployments: [old, deployed(fresh, 0)], pods });
    expect(readyOf(planned)).toMatchObject({ status: "True", reason, message: expect.stringMatching(says) });
    expect(readyOf(planned)?.message).toContain("keeps serving");
    expect(planned.events).toMatchObject([{ type: "Warning", reason }]);
  });

  test("whose pods the API server refuses says why, and the old revision keeps serving", () => {
    const planned = plan(service, { ...next, deployments: [old, refused(deployed(fresh, 0))] });
    expect(readyOf(planned)).toMatchObject({ status: "True", reason: "ReplicasRefused" });
    expect(readyOf(planned)?.message).toMatch(/exceeded quota: team, requested: memory=8Gi; revision .* keeps serving/);
    expect(planned.events).toMatchObject([{ type: "Warning", reason: "ReplicasRefused" }]);
  });

  test.each<[string, Situation]>([
    ["the Model is gone", { model: undefined }],
    ["the runtime is gone", { runtimes: [] }],
  ])("is no rollout when %s: what serves goes on", (_, situation) => {
    const planned = plan(service, { front, deployments: [old], ...situation });
    expect(planned).toMatchObject({ apply: [], delete: [], status: { modelVersion: 1 } });
    expect(readyOf(planned)).toMatchObject({ status: "True", message: expect.stringContaining("keeps serving") });
  });

  test("keeps the agent image that a revision was made with", () => {
    const { metadata } = child(plan(service, { front, deployments: [old] }), "Deployment") as KubeObject;
    const newer = planInferenceService(
      { ...nothingServed, service, model: championOf(1), deployments: [old], front },
      { ...settings, agentImage: "lemnis:2" },
      start,
    );
    const again = child(newer, "Deployment") as Deployment;
    expect(again.metadata.name).toBe(metadata.name);
    expect(again.spec?.template?.spec?.initContainers).toMatchObject([{ name: "stage", image: "lemnis:1" }]);
  });
});

describe("replicas", () => {
  test("more than one bring a PodDisruptionBudget; a range brings an autoscaler, which owns the number", () => {
    const planned = plan(inferenceService({ minReplicas: 2, maxReplicas: 5 }));
    expect(child(planned, "PodDisruptionBudget")).toMatchObject({ spec: { maxUnavailable: 1 } });
    const { metadata } = child(planned, "Deployment") as KubeObject;
    expect(child(planned, "HorizontalPodAutoscaler")).toMatchObject({
      spec: { minReplicas: 2, maxReplicas: 5, scaleTargetRef: { kind: "Deployment", name: metadata.name } },
    });
  });

  test("of a new revision are as many as the old one runs, and all must be ready", () => {
    const spec = { minReplicas: 1, maxReplicas: 5 };
    const { deployment, front, service } = serving(spec);
    const scaled = deployed({ ...deployment, spec: { ...deployment.spec, replicas: 4 } } as KubeObject, 4);
    const planned = plan(service, { model: championOf(2), front, deployments: [scaled] });
    const fresh = child(planned, "Deployment") as Deployment;
    expect(fresh.spec?.replicas).toBe(4);
    const partly = plan(service, { model: championOf(2), front, deployments: [scaled, deployed(fresh, 3)] });
    expect(child(partly, "Service")).toBeUndefined();
  });

  test("that are given up take both along, if they are ours", () => {
    const owned = (kind: string, uid: string) => ({
      ...{ apiVersion: "v1", kind },
      metadata: {
        name: "wine",
        namespace: "team-a",
        uid: kind,
        ownerReferences: [{ apiVersion: "", kind: "", name: "", uid }],
      },
    });
    const service = inferenceService();
    const ours = plan(service, {
      autoscaler: owned("a", "uid-inferenceservice-wine"),
      disruptionBudget: owned("b", "other"),
    });
    expect(ours.delete.map(({ uid }) => uid)).toEqual(["a"]);
  });
});

test.each([
  [true, 8082, 1],
  [false, 8082, 0],
  [true, undefined, 0],
])(
  "a ServiceMonitor where the cluster has them (%s) and the runtime has metrics (%s): %i",
  (isThere, metricsPort, count) => {
    const runtime = { ...servingRuntime, spec: { ...servingRuntime.spec, metricsPort } };
    const planned = plan(inferenceService(), {
      present: new Set(isThere ? ["serviceMonitors"] : []),
      runtimes: [runtime],
    });
    expect(planned.apply.filter(({ object }) => object.kind === "ServiceMonitor")).toHaveLength(count);
  },
);
