/** Carries out a plan, in an order in which a crash between any two writes is mended by the next reconcile. */
import { isDeepStrictEqual } from "node:util";
import { applyIfChanged } from "../kube/apply.ts";
import type { KubeClient } from "../kube/client.ts";
import type { EventRecorder } from "../kube/events.ts";
import type { KubeObject, Resource } from "../kube/types.ts";
import type { Plan, StoreRecord } from "./plan.ts";

export interface Executor {
  client: KubeClient;
  events: EventRecorder;
  /** The cached object, as far as the cache has it. */
  observed: (resource: Resource, namespace: string, name: string) => KubeObject | undefined;
  record: (record: StoreRecord) => Promise<void>;
}

/** A write that must come back through the watch before the object is reconciled again. */
export interface Echo {
  resource: Resource;
  namespace: string;
  name: string;
  /** The version that the write made; undefined for a deletion. */
  resourceVersion?: string;
  uid: string;
}

type Subject = KubeObject & { status?: object | undefined };

/**
 * Records in the store, then children, deletions, the status, and last the events, which speak of what has happened.
 * Returns what to wait for.
 */
export async function execute(
  { client, events, observed, record }: Executor,
  { object, resource }: { object: Subject; resource: Resource },
  plan: Plan<object>,
): Promise<Echo[]> {
  const echoes: Echo[] = [];
  const expect = (of: Resource, { metadata }: KubeObject) => {
    const { namespace = "", name, resourceVersion = "", uid = "" } = metadata;
    echoes.push({ resource: of, namespace, name, resourceVersion, uid });
  };
  for (const entry of plan.records ?? []) await record(entry);
  for (const child of plan.apply) {
    const { namespace = "", name } = child.object.metadata;
    const applied = await applyIfChanged(client, child, observed(child.resource, namespace, name));
    if (applied) expect(child.resource, applied);
  }
  for (const child of plan.delete) {
    await client.delete(child.resource, child);
    echoes.push({ resource: child.resource, namespace: child.namespace, name: child.name, uid: child.uid });
  }
  // An event tells of a change, and the status shows every change: none of either at rest, or after a restart.
  if (sameStatus(object.status, plan.status)) return echoes;
  const { name, namespace, resourceVersion } = object.metadata;
  // The version that was planned for: without it, another object of that name would be given this one's status.
  const metadata = { name, ...(namespace ? { namespace } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  const body = { apiVersion: object.apiVersion, kind: object.kind, metadata, status: plan.status };
  expect(
    resource,
    await client.apply(resource, body as KubeObject, { subresource: "status", manager: "lemnis-status" }),
  );
  for (const event of plan.events) await events.record(object, event);
  return echoes;
}

/** Equal when what would be written is what is there: members that are undefined are not written. */
function sameStatus(current: object | undefined, wanted: object): boolean {
  return isDeepStrictEqual(current ?? {}, JSON.parse(JSON.stringify(wanted)));
}
