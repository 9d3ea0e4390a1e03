import { describe, expect, test } from "vitest";
import { observedDataset } from "../../../test/builders/datasets.ts";
import { dataset, start } from "../../../test/builders/kinds.ts";
import { datasetRecord } from "../../../test/builders/records.ts";
import { settings } from "../../../test/builders/settings.ts";
import { deployed, pod, refused, waiting } from "../../../test/builders/workloads.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { ObservedFeatures } from "./features.ts";
import { planDataset } from "./plan.ts";

const absent = { deployment: undefined, pods: [], service: undefined, monitor: undefined, hasServiceMonitors: false };
const keys = {
  columns: [
    { name: "customer", role: "Key" },
    { name: "at", role: "Timestamp" },
  ],
};
const online = { schema: keys, online: { replicas: 2, resources: { limits: { memory: "4Gi" } } } };

function plan(spec: object, features: Partial<ObservedFeatures> = {}, versions = 1) {
  const record = { found: datasetRecord(versions) };
  const observed = observedDataset({ dataset: dataset(spec), features: { ...absent, ...features }, record });
  return planDataset(observed, settings, start);
}
const children = ({ apply }: ReturnType<typeof plan>) =>
  apply.map(({ object }) => object).filter(({ kind }) => kind !== "Job");
const child = (planned: ReturnType<typeof plan>, kind: string) =>
  children(planned).find((one) => one.kind === kind) as KubeObject;
const served = ({ status }: ReturnType<typeof plan>) =>
  status.conditions?.find(({ type }) => type === "FeaturesServed");

describe("a Dataset with online", () => {
  test("is served from its first version on", () => {
    const before = plan(online, {}, 0);
    expect(children(before)).toEqual([]);
    expect(served(before)).toMatchObject({ status: "False", reason: "FeaturesStarting" });
    const planned = plan(online);
    expect(children(planned).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      "Deployment wine-features",
      "Service wine-features",
    ]);
    expect(planned.status.url).toBe("http://wine-features.team-a.svc");
  });

  test("is looked up by the columns with the role Key, or those that it names", () => {
    const task = (spec: object) => JSON.stringify(child(plan(spec), "Deployment"));
    expect(task(online)).toContain('keys\\":[\\"customer\\"]');
    expect(task({ ...online, online: { keys: ["id", "day"] } })).toContain('keys\\":[\\"id\\",\\"day\\"]');
  });

  test("that is stored by reference is read with its source's Secret", () => {
    const source = { uri: "s3://bucket/wine/", secretRef: { name: "s3" } };
    const deployment = child(plan({ ...online, source, storage: "Reference" }), "Deployment");
    const text = JSON.stringify(deployment);
    expect(text).toContain('location\\":{\\"uri\\":\\"s3://bucket/wine/\\",\\"secret\\":true');
    expect(text).toContain('{"name":"secret","secret":{"secretName":"s3"}}');
    expect(JSON.stringify(child(plan(online), "Deployment"))).not.toContain("location");
  });

  test("changes its pods without a gap, with the resources that it asks for", () => {
    expect(child(plan(online), "Deployment")).toMatchObject({
      spec: {
        replicas: 2,
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          spec: {
            containers: [
              {
                name: "features",
                resources: { limits: { memory: "4Gi" } },
                readinessProbe: { httpGet: { path: "/readyz" } },
              },
            ],
          },
        },
      },
    });
  });

  test("is reached at port 80, and watched where the cluster has ServiceMonitors", () => {
    const planned = plan(online, { hasServiceMonitors: true });
    expect(child(planned, "Service")).toMatchObject({ spec: { ports: [{ port: 80, targetPort: 8080 }] } });
    expect(child(planned, "ServiceMonitor")).toMatchObject({
      spec: { endpoints: [{ port: "http", path: "/metrics" }] },
    });
  });

  test("tells how its pods stand", () => {
    const deployment = deployed(child(plan(online), "Deployment"), 0);
    expect(served(plan(online, { deployment }))).toMatchObject({ status: "False", message: "0 of 2 replicas ready" });
    const pods = [pod("wine-features", waiting("features", "ImagePullBackOff", "no such image"))];
    expect(served(plan(online, { deployment, pods }))).toMatchObject({ status: "False", reason: "ImagePullFailed" });
    const refusal = served(plan(online, { deployment: refused(deployment) }));
    expect(refusal).toMatchObject({ reason: "ReplicasRefused", message: expect.stringContaining("exceeded quota") });
    const ready = deployed(child(plan(online), "Deployment"), 1);
    expect(served(plan(online, { deployment: ready, pods }))).toMatchObject({
      ...{ status: "True", message: "1 of 2 replicas ready at http://wine-features.team-a.svc" },
    });
  });
});

describe("a Dataset without online", () => {
  const deployment = deployed(child(plan(online), "Deployment"), 1);
  const service = { ...child(plan(online), "Service") };
  service.metadata = { ...service.metadata, uid: "uid-service" };

  test("is served no more", () => {
    const planned = plan({}, { deployment, service });
    expect(planned.delete).toMatchObject([
      { resource: { kind: "Deployment" }, uid: "uid-wine-features" },
      { resource: { kind: "Service" }, uid: "uid-service" },
    ]);
    expect(served(planned)).toBeUndefined();
    expect(planned.status).not.toHaveProperty("url");
  });

  test("leaves alone what belongs to others", () => {
    const theirs = { ...service, metadata: { ...service.metadata, ownerReferences: [] } };
    expect(plan({}, { service: theirs }).delete).toEqual([]);
  });
});
