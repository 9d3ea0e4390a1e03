/** InferenceServices with Gateways, autoscalers and monitoring of other projects, which come and go; the tests play those. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ready } from "./wine.ts";
import { type RunningOperator, resourceOf, runtimes, type Seen, startWorld, type World } from "./world.ts";

const namespace = "serving";
const total = (errors: Record<string, number>) => Object.values(errors).reduce((sum, count) => sum + count, 0);
const patience = { timeout: 30_000, interval: 100 };
let world: World;
let operator: RunningOperator;
beforeAll(async () => {
  world = await startWorld();
  operator = await world.startOperator();
  await world.makeNamespace(namespace);
  await world.apply(namespace, ...runtimes);
});
afterAll(() => world?.stop());

const served = { storageUri: "s3://models/wine/", runtimeRef: { name: "mlserver" } };
const serve = (name: string, spec: object) =>
  world.apply(namespace, { kind: "InferenceService", metadata: { name }, spec: { ...served, ...spec } });
const conditionOf = ({ status }: Seen, type: string) =>
  status?.conditions?.find((condition: Seen) => condition.type === type);
const until = (name: string, type: string, reason: string) =>
  world.until(namespace, "InferenceService", name, (object) => conditionOf(object, type)?.reason === reason);
const child = (kind: string, name: string) => vi.waitFor(() => world.get(namespace, kind, name), patience);
/** The status of a child, as its own controller would write it. */
async function report(kind: string, name: string, status: object): Promise<void> {
  const resource = resourceOf(kind);
  const object = { apiVersion: `${resource.group}/${resource.version}`, kind, metadata: { name, namespace }, status };
  await world.client.apply(resource, object as Seen, { subresource: "status", manager: "other" });
}

test("a Gateway carries requests to the service once the cluster has the Gateway API, and says so", async () => {
  const name = "routed";
  const parentRef = { name: "public", namespace: "infra", sectionName: "https" };
  await serve(name, { gateway: { parentRefs: [parentRef], hostnames: ["wine.example.com"] } });
  expect((await until(name, "GatewayReady", "GatewayApiNotFound")).status.url).toBe(`http://${name}.${namespace}.svc`);
  await world.install("HTTPRoute");
  await until(name, "GatewayReady", "RoutePending");
  const route = await child("HTTPRoute", name);
  expect(route.spec).toMatchObject({ parentRefs: [parentRef], rules: [{ backendRefs: [{ name, port: 80 }] }] });
  const answer = (status: "True" | "False", reason: string) => {
    const times = { observedGeneration: route.metadata.generation, lastTransitionTime: new Date().toISOString() };
    const condition = { type: "Accepted", status, reason, message: "as told", ...times };
    const parents = [{ parentRef, controllerName: "example.com/gateway", conditions: [condition] }];
    return report("HTTPRoute", name, { parents });
  };
  await answer("False", "NotAllowedByListeners");
  const refused = await until(name, "GatewayReady", "RouteRefused");
  expect(conditionOf(refused, "GatewayReady").message).toMatch(/infra\/public.*NotAllowedByListeners: as told/);
  await answer("True", "Accepted");
  expect((await until(name, "GatewayReady", "RouteAccepted")).status.url).toBe("https://wine.example.com");
});

test("a gateway that is given up takes its route along", async () => {
  await serve("brief", { gateway: { parentRefs: [{ name: "public" }], hostnames: ["brief.example.com"] } });
  await child("HTTPRoute", "brief");
  await serve("brief", {});
  await vi.waitFor(() => expect(world.get(namespace, "HTTPRoute", "brief")).rejects.toThrow(/404/), patience);
  await world.until(namespace, "InferenceService", "brief", (object) => !conditionOf(object, "GatewayReady"));
});

test("when the Gateway API goes the service goes on inside the cluster", async () => {
  await world.uninstall("HTTPRoute");
  const service = await until("routed", "GatewayReady", "GatewayApiNotFound");
  expect([ready(service), service.status.url]).toEqual([true, `http://routed.${namespace}.svc`]);
});

test("objectives are watched as soon as Prometheus' kinds are there, and no longer than that", async () => {
  const name = "promised";
  await serve(name, { slo: { availability: 99.9, latency: { threshold: "200ms", percent: 99 } } });
  const missing = await until(name, "SLOMonitored", "PrometheusNotFound");
  expect(conditionOf(missing, "SLOMonitored").message).toMatch(/PrometheusRules and ServiceMonitors/);
  await world.install("ServiceMonitor");
  await child("ServiceMonitor", name);
  await world.install("PrometheusRule");
  const rule = await child("PrometheusRule", name);
  expect(rule.spec.groups.map((group: Seen) => group.name)).toEqual(["slo-availability", "slo-latency", "slo-data"]);
  await until(name, "SLOMonitored", "RulesApplied");
  await world.uninstall("ServiceMonitor");
  await until(name, "SLOMonitored", "PrometheusNotFound");
  await vi.waitFor(() => expect(world.get(namespace, "PrometheusRule", name)).rejects.toThrow(/404/), patience);
  await world.uninstall("PrometheusRule");
});

test("KEDA takes over from the autoscaler by CPU when it comes, and gives back when it goes", async () => {
  const name = "scaled";
  const scaleQuery = { serverAddress: "http://prometheus:9090", query: "sum(x)", threshold: 5 };
  await serve(name, { maxReplicas: 3, scaleQuery });
  await until(name, "ScalingReady", "KedaNotFound");
  await child("HorizontalPodAutoscaler", name);
  await world.install("ScaledObject");
  const scaled = await child("ScaledObject", name);
  await expect(world.get(namespace, "HorizontalPodAutoscaler", name)).rejects.toThrow(/404/);
  const { status } = await until(name, "ScalingReady", "ScalerPending");
  expect(scaled.spec).toMatchObject({ scaleTargetRef: { name: status.revisions[0].name }, maxReplicaCount: 3 });
  const says = (value: string, reason: string) =>
    report("ScaledObject", name, { conditions: [{ type: "Ready", status: value, reason, message: "as told" }] });
  await says("False", "TriggerError");
  await until(name, "ScalingReady", "ScalerFailed");
  await says("True", "ScaledObjectReady");
  await until(name, "ScalingReady", "ScalerReady");
  await world.uninstall("ScaledObject");
  await until(name, "ScalingReady", "KedaNotFound");
  await child("HorizontalPodAutoscaler", name);
});

test("errors were few; at rest with all of it nothing is written, nor by an operator that starts anew", async () => {
  // A write may meet a kind that is just going; one that is gone is not written to again and again.
  expect(total(await operator.errors())).toBeLessThan(5);
  const kinds = ["HTTPRoute", "ServiceMonitor", "PrometheusRule", "ScaledObject"] as const;
  for (const kind of kinds) await world.install(kind);
  const name = "whole";
  await serve(name, {
    gateway: { parentRefs: [{ name: "public", port: 443 }], hostnames: ["whole.example.com"] },
    scaleQuery: { serverAddress: "http://prometheus:9090", query: "sum(x)", threshold: 0.5 },
    ...{ minReplicas: 1, maxReplicas: 3, slo: { availability: 99.9 } },
  });
  for (const kind of kinds) await child(kind, name);
  for (const [type, reason] of [
    ["GatewayReady", "RoutePending"],
    ["ScalingReady", "ScalerPending"],
    ["SLOMonitored", "RulesApplied"],
  ] as const)
    await until(name, type, reason);
  const settle = async (of: RunningOperator) => {
    for (let before = await of.writes(); ; ) {
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const now = await of.writes();
      if (now === before) return now;
      before = now;
    }
  };
  await settle(operator);
  await operator.stop();
  const again = await world.startOperator("lemnis-1");
  await vi.waitFor(async () => expect(await again.isLeader()).toBe(true), patience);
  expect([await settle(again), await again.errors()]).toEqual([0, {}]);
});
