import { describe, expect, test } from "vitest";
import { inferenceService, namespace, start } from "../../../test/builders/kinds.ts";
import { nothingServed } from "../../../test/builders/observed.ts";
import { settings } from "../../../test/builders/settings.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { ObservedInferenceService } from "./observe.ts";
import { planInferenceService } from "./plan.ts";
import type { ScaledObject } from "./scaling.ts";

const scaleQuery = {
  serverAddress: "http://prometheus.monitoring.svc:9090",
  query: "sum(rate(x[1m]))",
  threshold: 0.5,
};
const spec = {
  ...{ modelRef: undefined, storageUri: "s3://b/m", runtimeRef: { name: "mlserver" } },
  ...{ minReplicas: 2, maxReplicas: 5, scaleQuery },
};
const keda = { present: new Set(["scaledObjects"] as const) };
const owned = (kind: string, rest: object = {}): KubeObject => ({
  ...{ apiVersion: "x/v1", kind },
  metadata: {
    ...{ name: "wine", namespace, uid: kind },
    ownerReferences: [{ apiVersion: "", kind: "", name: "wine", uid: "uid-inferenceservice-wine" }],
  },
  ...rest,
});
const reported = (status: string, reason = "Reason"): ScaledObject =>
  owned("ScaledObject", { status: { conditions: [{ type: "Ready", status, reason, message: "in words" }] } });

function plan(situation: Partial<ObservedInferenceService> = {}, changes: object = {}) {
  const service = inferenceService({ ...spec, ...changes });
  const planned = planInferenceService({ ...nothingServed, service, ...situation }, settings, start);
  return {
    scalers: planned.apply.map(({ object }) => object).filter(({ kind }) => /Autoscaler|ScaledObject/.test(kind)),
    deleted: planned.delete.map(({ uid }) => uid),
    condition: planned.status.conditions?.find(({ type }) => type === "ScalingReady"),
  };
}

test("KEDA scales the Deployment that has the traffic, between the same bounds", () => {
  const { scalers, deleted } = plan(keda);
  expect(deleted).toEqual([]);
  expect(scalers).toMatchObject([
    {
      ...{ apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", metadata: { name: "wine" } },
      spec: {
        scaleTargetRef: { kind: "Deployment", name: expect.stringMatching(/^wine-/) },
        ...{ minReplicaCount: 2, maxReplicaCount: 5 },
        triggers: [{ type: "prometheus", metadata: { ...scaleQuery, threshold: "0.5" } }],
      },
    },
  ]);
});

describe("there is one autoscaler at a time", () => {
  test("ours goes before KEDA's comes, which takes no workload that another one scales", () => {
    expect(plan({ ...keda, autoscaler: owned("HPA") })).toMatchObject({ scalers: [], deleted: ["HPA"] });
  });

  test("ours holds while the cluster has no KEDA", () => {
    expect(plan().scalers).toMatchObject([
      { kind: "HorizontalPodAutoscaler", spec: { minReplicas: 2, maxReplicas: 5 } },
    ]);
  });

  test("KEDA's goes when the query is given up", () => {
    const without = plan({ ...keda, scaledObject: reported("True") }, { scaleQuery: undefined });
    expect(without).toMatchObject({ scalers: [{ kind: "HorizontalPodAutoscaler" }], deleted: ["ScaledObject"] });
    expect(without.condition).toBeUndefined();
  });
});

describe("ScalingReady", () => {
  test.each<[string, string, Partial<ObservedInferenceService>, RegExp]>([
    ["False", "KedaNotFound", {}, /install it; until then a HorizontalPodAutoscaler scales by CPU/],
    ["False", "ScalerPending", keda, /does its operator run\?/],
    ["False", "ScalerPending", { ...keda, scaledObject: reported("Unknown") }, /has not said anything/],
    [
      "False",
      "ScalerFailed",
      { ...keda, scaledObject: reported("False", "TriggerError") },
      /KEDA: TriggerError: in words/,
    ],
    ["True", "ScalerReady", { ...keda, scaledObject: reported("True") }, /the query scales/],
  ])("is %s with %s", (status, reason, situation, says) => {
    expect(plan(situation).condition).toMatchObject({ status, reason, message: expect.stringMatching(says) });
  });
});
