/** The Service in front of the revisions: whatever happens to it, the traffic stays where it is served. */
import { describe, expect, test } from "vitest";
import { championOf, child, plan, readyOf, selectorOf, serving } from "../../../test/builders/inference-service.ts";
import { inferenceService, servingRuntime, start } from "../../../test/builders/kinds.ts";
import { deployed } from "../../../test/builders/workloads.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { Deployment, Service } from "../children/types.ts";

const { deployment: old, front, service } = serving();
const runtime = { ...servingRuntime, spec: { ...servingRuntime.spec, port: 9000, metricsPort: undefined } };
const rollout = { model: championOf(2), runtimes: [runtime] };
const made = child(plan(service, { ...rollout, front, deployments: [old] }), "Deployment") as Deployment;
const fresh = deployed(made as KubeObject, 0);
const oldSelector = { "lemnis.dev/workload": old.metadata.name };
const edited = { ...front, spec: { ...front.spec, selector: { app: "other" } } } as Service;

describe.each<[string, Service | undefined]>([
  ["is gone, or no longer ours to see", undefined],
  ["selects something else", edited],
  ["selects a revision that is gone", { ...front, spec: { selector: { "lemnis.dev/workload": "wine-0" } } }],
  ["selects the new one", { ...front, spec: { selector: { "lemnis.dev/workload": fresh.metadata.name } } }],
])("while a new revision starts and the Service %s", (_, lost) => {
  const planned = plan(service, { ...rollout, front: lost, deployments: [old, fresh] });

  test("it is put back on the old one, as that one was made", () => {
    expect(child(planned, "Service")).toMatchObject({
      spec: {
        selector: oldSelector,
        ports: [
          { name: "http", port: 80, targetPort: 8080 },
          { name: "metrics", port: 8082 },
        ],
      },
    });
    expect(planned.delete).toEqual([]);
    expect(planned.events).toEqual([]);
    expect(planned.status).toMatchObject({ modelVersion: 1 });
    expect(readyOf(planned)).toMatchObject({ status: "True", message: expect.stringContaining("keeps serving") });
  });

  test("it moves once the new one is ready", () => {
    const ready = plan(service, { ...rollout, front: lost, deployments: [old, deployed(made as KubeObject, 1)] });
    expect(selectorOf(ready)).toEqual({ "lemnis.dev/workload": fresh.metadata.name });
    expect(ready.delete).toEqual([]);
  });

  test("and the status is lost with it, it is put on the one that is ready", () => {
    const rebuilt = plan(inferenceService(), { ...rollout, front: lost, deployments: [fresh, old] });
    expect(selectorOf(rebuilt)).toEqual(oldSelector);
    expect(rebuilt.delete).toEqual([]);
  });
});

test("a Service that is gone while the Model is missing is put back, and what serves goes on", () => {
  const planned = plan(service, { model: undefined, front: undefined, deployments: [old] });
  expect(planned.apply.map(({ object }) => object.kind)).toEqual(["Service"]);
  expect(child(planned, "Service")).toEqual(front);
  expect(planned.delete).toEqual([]);
  expect(readyOf(planned)).toMatchObject({ status: "True", reason: "ModelNotFound" });
  const later = new Date(start.getTime() + 60_000);
  const after = plan({ ...service, status: planned.status }, { model: undefined, deployments: [old], now: later });
  expect(after.delete).toEqual([]);
});

test("a Service that is there is not touched while the old revision serves", () => {
  const planned = plan(service, { ...rollout, front, deployments: [old, fresh] });
  expect(child(planned, "Service")).toBeUndefined();
});
