import { describe, expect, test } from "vitest";
import { trimDeployment, trimJob, trimPod, trimStatus } from "./trim.ts";

const object = (kind: string, body: object) => ({ apiVersion: "v1", kind, metadata: { name: "wine" }, ...body });

describe("of a child is kept", () => {
  test("a Job's end, and whether it is suspended", () => {
    const conditions = [{ type: "Complete", status: "True" }];
    const status = { conditions, completionTime: "2026-01-01T00:00:00Z", uncountedTerminatedPods: {}, succeeded: 1 };
    expect(trimJob(object("Job", { spec: { suspend: true, template: {} }, status }))).toEqual(
      object("Job", { spec: { suspend: true }, status: { conditions, completionTime: "2026-01-01T00:00:00Z" } }),
    );
  });

  test("how a pod's containers stand", () => {
    const status = { phase: "Running", containerStatuses: [{ name: "train" }], podIP: "10.0.0.1" };
    expect(trimPod(object("Pod", { spec: { containers: [] }, status }))).toEqual(
      object("Pod", { status: { phase: "Running", containerStatuses: [{ name: "train" }] } }),
    );
  });

  test("a Deployment's spec, in which drift is looked for, and its numbers", () => {
    const spec = { replicas: 1, template: { spec: {} } };
    const status = { observedGeneration: 1, replicas: 1, readyReplicas: 1, conditions: [], collisionCount: 1 };
    expect(trimDeployment(object("Deployment", { spec, status }))).toEqual(
      object("Deployment", { spec, status: { observedGeneration: 1, replicas: 1, readyReplicas: 1 } }),
    );
  });

  test("why a Deployment's pods are refused, while they are", () => {
    const refused = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" };
    const progressing = { type: "Progressing", status: "True" };
    const kept = (...conditions: object[]) => trimDeployment(object("Deployment", { status: { conditions } })).status;
    expect(kept(progressing, refused)).toEqual({ conditions: [refused] });
    expect(kept(progressing, { ...refused, status: "False" })).toEqual({});
  });

  test("of others all but the status", () => {
    expect(trimStatus(object("Service", { spec: {}, status: { loadBalancer: {} } }))).toEqual(
      object("Service", { spec: {} }),
    );
  });
});
