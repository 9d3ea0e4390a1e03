/** The way in from outside the cluster: an HTTPRoute to the service, and what its Gateways say of it. */
import type { ParentRef } from "../../api/v1alpha1/gateway.ts";
import type { InferenceService } from "../../api/v1alpha1/inference-service.ts";
import { httpRoutes } from "../../kube/resources.ts";
import { apiVersionOf, type KubeObject } from "../../kube/types.ts";
import type { ConditionLike } from "../children/types.ts";
import type { DomainCondition } from "../verdict.ts";
import { metadataOf, servicePort } from "./children.ts";
import type { ObservedInferenceService } from "./observe.ts";

/** The part of an HTTPRoute that is read. */
export interface HttpRoute extends KubeObject {
  status?: { parents?: readonly RouteParent[] };
}
interface RouteParent {
  parentRef: ParentRef;
  conditions?: readonly (ConditionLike & { observedGeneration?: number })[];
}

export function buildHttpRoute(service: InferenceService): KubeObject {
  const { name } = service.metadata;
  return {
    ...{ apiVersion: apiVersionOf(httpRoutes), kind: httpRoutes.kind, metadata: metadataOf(service, name) },
    spec: {
      ...service.spec.gateway,
      rules: [{ backendRefs: [{ name, port: servicePort }] }],
    },
  } as KubeObject;
}

/** What one Gateway says: nothing yet, or whether it takes the requests, and why not. */
type Answer = "pending" | "accepted" | { refusal: string };

/** GatewayReady: whether all the Gateways that are asked for carry requests to the service. */
export function gatewayCondition(observed: ObservedInferenceService): DomainCondition | undefined {
  const { gateway } = observed.service.spec;
  if (!gateway) return undefined;
  const condition = (status: boolean, reason: string, message: string) => ({
    ...{ type: "GatewayReady", status, reason, message },
  });
  if (!observed.present.has("httpRoutes")) {
    const message = `spec.gateway needs the Gateway API, and the cluster serves no HTTPRoutes (${apiVersionOf(httpRoutes)}): install it; until then the service is reached inside the cluster only`;
    return condition(false, "GatewayApiNotFound", message);
  }
  const answers = gateway.parentRefs.map((ref) => ({ ref, answer: answerOf(observed, ref) }));
  const refusals = answers.flatMap(({ ref, answer }) =>
    typeof answer === "object" ? [`${describe(ref)} does not take the route: ${answer.refusal}`] : [],
  );
  if (refusals.length > 0) return condition(false, "RouteRefused", refusals.join("; ").slice(0, 1024));
  const pending = answers.flatMap(({ ref, answer }) => (answer === "pending" ? [describe(ref)] : []));
  if (pending.length > 0) {
    const message = `no answer yet from ${pending.join(", ")}: is there such a Gateway, and does its controller run?`;
    return condition(false, "RoutePending", message);
  }
  return condition(
    true,
    "RouteAccepted",
    `${gateway.hostnames.join(", ")} by ${answers.map(({ ref }) => describe(ref)).join(", ")}`,
  );
}

/** Where the service is reached from outside: its first host name, once a Gateway has accepted the route. */
export function externalUrl(observed: ObservedInferenceService): string | undefined {
  const { gateway } = observed.service.spec;
  const host = gateway?.hostnames.find((name) => !name.startsWith("*"));
  if (!gateway || !host || !observed.present.has("httpRoutes")) return undefined;
  const parent = gateway.parentRefs.find((ref) => answerOf(observed, ref) === "accepted");
  if (!parent) return undefined;
  const secure = parent.port === 443 || parent.sectionName?.startsWith("https");
  const port = parent.port && ![80, 443].includes(parent.port) ? `:${parent.port}` : "";
  return `${secure ? "https" : "http"}://${host}${port}`;
}

function answerOf({ service, httpRoute }: ObservedInferenceService, wanted: ParentRef): Answer {
  const { namespace = "" } = service.metadata;
  const generation = httpRoute?.metadata.generation ?? 0;
  const conditions = (httpRoute?.status?.parents ?? [])
    .filter(({ parentRef }) => keyOf(parentRef, namespace) === keyOf(wanted, namespace))
    .flatMap((parent) => parent.conditions ?? [])
    // What was said of an earlier spec no longer counts.
    .filter(({ observedGeneration = 0 }) => observedGeneration >= generation);
  const refused = conditions.find(
    ({ type, status }) => (type === "Accepted" || type === "ResolvedRefs") && status === "False",
  );
  if (refused) return { refusal: `${refused.reason}: ${refused.message}` };
  return conditions.some(({ type, status }) => type === "Accepted" && status === "True") ? "accepted" : "pending";
}

function keyOf({ name, namespace, sectionName = "", port = 0 }: ParentRef, own: string): string {
  return `${namespace ?? own}/${name}/${sectionName}/${port}`;
}

function describe({ name, namespace, sectionName, port }: ParentRef): string {
  const listener = [sectionName ? `section ${sectionName}` : "", port ? `port ${port}` : ""].filter(Boolean).join(", ");
  return `Gateway ${namespace ? `${namespace}/` : ""}${name}${listener ? ` (${listener})` : ""}`;
}
