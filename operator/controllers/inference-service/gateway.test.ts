import { describe, expect, test } from "vitest";
import { inferenceService, namespace, start } from "../../../test/builders/kinds.ts";
import { nothingServed } from "../../../test/builders/observed.ts";
import { settings } from "../../../test/builders/settings.ts";
import type { HttpRoute } from "./gateway.ts";
import { planInferenceService } from "./plan.ts";

const present = new Set(["httpRoutes"] as const);
const publicly = { name: "public", namespace: "infra", sectionName: "https" };
const inside = { name: "inside" };
const spec = {
  ...{ modelRef: undefined, storageUri: "s3://b/m", runtimeRef: { name: "mlserver" } },
  gateway: { parentRefs: [publicly, inside], hostnames: ["wine.example.com", "*.wine.example.com"] },
};

type Said = [ref: object, type: string, status: string, reason?: string, generation?: number];
/** The route as its Gateways have answered; the API server fills in what a reference leaves out. */
function answered(...said: Said[]): HttpRoute {
  const parents = said.map(([ref, type, status, reason = "Reason", observedGeneration = 2]) => ({
    parentRef: { group: "gateway.networking.k8s.io", kind: "Gateway", name: "", ...ref },
    conditions: [{ type, status, reason, message: "in words", observedGeneration }],
  }));
  const metadata = { name: "wine", namespace, generation: 2 };
  return { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata, status: { parents } };
}
const both = answered([publicly, "Accepted", "True"], [{ ...inside, namespace }, "Accepted", "True"]);

function plan(httpRoute?: HttpRoute, { there = true, gateway = spec.gateway as object } = {}) {
  const service = inferenceService({ ...spec, gateway });
  const optional = { present: there ? present : new Set<never>(), httpRoute };
  const { apply, status } = planInferenceService({ ...nothingServed, service, ...optional }, settings, start);
  const condition = status.conditions?.find(({ type }) => type === "GatewayReady");
  return { route: apply.find(({ object }) => object.kind === "HTTPRoute")?.object, url: status.url, condition };
}

test("a route to the service is made of what the manifest says", () => {
  expect(plan().route).toMatchObject({
    metadata: { name: "wine", labels: { "app.kubernetes.io/managed-by": "lemnis" } },
    spec: { ...spec.gateway, rules: [{ backendRefs: [{ name: "wine", port: 80 }] }] },
  });
});

test("without a gateway nothing is made or said", () => {
  const { gateway: _, ...without } = spec;
  const optional = { present, httpRoute: undefined };
  const planned = planInferenceService(
    { ...nothingServed, service: inferenceService(without), ...optional },
    settings,
    start,
  );
  expect(planned.apply.map(({ object }) => object.kind)).not.toContain("HTTPRoute");
  expect(planned.status.conditions?.map(({ type }) => type)).not.toContain("GatewayReady");
});

describe("GatewayReady", () => {
  test.each<[string, HttpRoute | undefined, RegExp]>([
    ["RoutePending", undefined, /no answer yet from Gateway infra\/public \(section https\), Gateway inside: is there/],
    ["RoutePending", answered([publicly, "Accepted", "True"]), /from Gateway inside:/],
    [
      "RoutePending",
      answered([publicly, "Accepted", "True"], [inside, "Accepted", "True", "Accepted", 1]),
      /from Gateway inside:/,
    ],
    ["RoutePending", answered([{ ...publicly, sectionName: "http" }, "Accepted", "True"]), /section https/],
    [
      "RouteRefused",
      answered([publicly, "Accepted", "False", "NotAllowedByListeners"], [inside, "Accepted", "True"]),
      /^Gateway infra\/public \(section https\) does not take the route: NotAllowedByListeners: in words$/,
    ],
    ["RouteRefused", answered([inside, "ResolvedRefs", "False", "BackendNotFound"]), /BackendNotFound/],
  ])("is False with %s and says which Gateway, and why", (reason, route, says) => {
    expect(plan(route).condition).toMatchObject({ status: "False", reason, message: expect.stringMatching(says) });
  });

  test("is True when all have accepted", () => {
    expect(plan(both).condition).toMatchObject({ status: "True", reason: "RouteAccepted" });
  });

  test("is False where the cluster has no Gateway API, and no route is made", () => {
    const { condition, route, url } = plan(undefined, { there: false });
    expect(condition).toMatchObject({ reason: "GatewayApiNotFound", message: expect.stringMatching(/install it/) });
    expect([route, url]).toEqual([undefined, "http://wine.team-a.svc"]);
  });
});

describe("status.url", () => {
  const refs = (ref: object) => ({ ...spec.gateway, parentRefs: [ref] });
  test.each<[string, object, string]>([
    ["http", inside, "http://wine.example.com"],
    ["https by the section", publicly, "https://wine.example.com"],
    ["https by the port", { ...inside, port: 443 }, "https://wine.example.com"],
    ["with the port", { ...inside, port: 8080 }, "http://wine.example.com:8080"],
  ])("is the first host name once a Gateway has accepted the route: %s", (_, ref, url) => {
    expect(plan(answered([ref, "Accepted", "True"]), { gateway: refs(ref) }).url).toBe(url);
    expect(plan(undefined, { gateway: refs(ref) }).url).toBe("http://wine.team-a.svc");
  });

  test("stays inside the cluster when there is no host name but a wildcard", () => {
    expect(plan(both, { gateway: { ...spec.gateway, hostnames: ["*.example.com"] } }).url).toBe(
      "http://wine.team-a.svc",
    );
  });
});
