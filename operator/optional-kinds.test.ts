import { expect, test } from "vitest";
import { ObjectCache } from "./kube/cache.ts";
import type { KubeObject } from "./kube/types.ts";
import { byUse, usersOf } from "./optional-kinds.ts";

const object = (name: string, spec: object): KubeObject & { spec: object } => ({
  ...{ apiVersion: "lemnis.dev/v1alpha1", kind: "Any", metadata: { name, namespace: "a" } },
  spec,
});

test("those that use a kind are found as they are now, and by their own cache alone", () => {
  const services = new ObjectCache({ indexes: byUse("inferenceServices") });
  const jobs = new ObjectCache({ indexes: byUse("trainingJobs") });
  services.put(object("plain", {}));
  services.put(object("routed", { gateway: {}, slo: {} }));
  jobs.put(object("queued", { queueName: "q", slo: {} }));
  expect(usersOf("serviceMonitors", services)).toEqual(["a/plain", "a/routed"]);
  expect(usersOf("httpRoutes", services)).toEqual(["a/routed"]);
  expect(usersOf("prometheusRules", jobs)).toEqual([]);
  expect(usersOf("localQueues", jobs)).toEqual(["a/queued"]);
  services.put(object("routed", {}));
  expect(usersOf("httpRoutes", services)).toEqual([]);
});
