/** What a story comes to, without what differs from run to run: times, uids, versions, addresses. */
import type { Seen } from "./history.ts";

const masked = new Set([
  ...["uid", "resourceVersion", "creationTimestamp", "generation", "observedGeneration", "selfLink"],
  ...["lastTransitionTime", "startedAt", "finishedAt", "createdAt", "lastChecked", "drainUntil", "clusterIP"],
  ...["clusterIPs", "lemnis.dev/applied-hash", "lemnis.dev/generation", "deployment.kubernetes.io/revision"],
  ...["batch.kubernetes.io/controller-uid", "controller-uid", "lemnis.dev/refresh", "lemnis.dev/look", "look", "rival"],
]);

/** Names of ended Jobs differ when a run was made again after a crash; what they led to is in the statuses. */
const compared = new Set(["Dataset", "TrainingJob", "Model", "InferenceService", "Deployment", "Service"]);

export function endState(objects: readonly Seen[], namespace: string): string {
  const rest = objects
    .filter(({ kind }) => compared.has(kind))
    .map((object) => (object.apiVersion.startsWith("lemnis.dev/") ? object : { ...object, status: undefined }))
    .map((object) => mask(object, namespace))
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  return JSON.stringify(rest, null, 1);
}

function mask(value: unknown, namespace: string): unknown {
  if (typeof value === "string") return value.replaceAll(namespace, "NAMESPACE");
  if (Array.isArray(value)) return value.map((item) => mask(item, namespace));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([name]) => !masked.has(name));
  return Object.fromEntries(
    members.sort(([a], [b]) => a.localeCompare(b)).map(([name, member]) => [name, mask(member, namespace)]),
  );
}

/** The first line in which two end states differ. */
export function difference(reference: string, found: string): string | undefined {
  const [expected, got] = [reference.split("\n"), found.split("\n")];
  const index = expected.findIndex((line, number) => line !== got[number]);
  if (index === -1 && expected.length === got.length) return undefined;
  return `expected ${expected[index]?.trim()}, found ${got[index]?.trim()} (line ${index})`;
}
