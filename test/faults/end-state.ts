/** What a story comes to, without what differs from run to run: times, uids, versions, addresses. */
import { trimObject } from "../../operator/kube/cache.ts";
import { ourKinds } from "./history.ts";
import type { User } from "./user.ts";

const masked = new Set([
  ...["uid", "resourceVersion", "creationTimestamp", "generation", "observedGeneration", "selfLink"],
  ...["lastTransitionTime", "startedAt", "finishedAt", "createdAt", "lastChecked", "drainUntil", "clusterIP"],
  ...[
    "clusterIPs",
    "lemnis.dev/applied-hash",
    "lemnis.dev/generation",
    "lemnis.dev/spared",
    "deployment.kubernetes.io/revision",
  ],
  ...["batch.kubernetes.io/controller-uid", "controller-uid", "lemnis.dev/refresh", "lemnis.dev/look", "look", "rival"],
  // A run's Job is in the status for as long as it is there.
  "job",
]);

/** Names of ended Jobs differ when a run was made again after a crash; what they led to is in the statuses. */
const compared = [...ourKinds, "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"];

/** As the API server has it now. */
export async function endState(user: User): Promise<string> {
  const objects = (await Promise.all(compared.map((kind) => user.list(kind)))).flat();
  const rest = objects
    .map((object) => (object.apiVersion.startsWith("lemnis.dev/") ? object : { ...object, status: undefined }))
    .map((object) => mask(trimObject(object), user.namespace))
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  return JSON.stringify(rest, null, 1);
}

function mask(value: unknown, namespace: string): unknown {
  // A revision keeps the image of the operator that made it.
  if (typeof value === "string") return value.replaceAll(namespace, "NAMESPACE").replace(/^lemnis:\d$/, "lemnis");
  if (Array.isArray(value)) return value.map((item) => mask(item, namespace));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value)
    .filter(([name]) => !masked.has(name))
    .map(([name, member]) => [name, mask(member, namespace)] as const)
    // Once its members are masked, an empty map of annotations is none.
    .filter(([name, member]) => name !== "annotations" || Object.keys(member as object).length > 0);
  return Object.fromEntries(members.sort(([a], [b]) => a.localeCompare(b)));
}

/** The first line in which two end states differ. */
export function difference(reference: string, found: string): string | undefined {
  const [expected, got] = [reference.split("\n"), found.split("\n")];
  const index = expected.findIndex((line, number) => line !== got[number]);
  if (index === -1 && expected.length === got.length) return undefined;
  return `expected ${expected[index]?.trim()}, found ${got[index]?.trim()} (line ${index})`;
}
