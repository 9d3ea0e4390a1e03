/** Carries out a plan, in an order in which a crash between any two writes is mended by the next reconcile. */
import { isDeepStrictEqual } from "node:util";
import { applyIfChanged } from "../kube/apply.ts";
import type { KubeClient } from "../kube/client.ts";
import { confirm } from "../kube/confirm.ts";
import { StaleViewError } from "../kube/errors.ts";
import type { EventRecorder } from "../kube/events.ts";
import type { KubeObject, ObjectMeta, Resource } from "../kube/types.ts";
import type { Answers } from "./answers.ts";
import type { Plan, StoreRecord } from "./plan.ts";
import type { Turn } from "./status-turns.ts";

export interface Executor {
  client: KubeClient;
  events: EventRecorder;
  /** The cached object, as far as the cache has it. */
  observed: (resource: Resource, namespace: string, name: string) => KubeObject | undefined;
  /** False when the cache of the resource may be behind: its watch broke, or the API server has not been heard for a moment. */
  isFresh: (resource: Resource) => boolean;
  record: (record: StoreRecord) => Promise<void>;
  /** Statuses and their events wait for it: of many objects the children come first. */
  turn: Pick<Turn, "status">;
  /** What came of earlier writes: one that would come to nothing is not sent. */
  answers: Answers;
}

/** A write that must come back through the watch before the object is reconciled again. */
export interface Echo {
  resource: Resource;
  namespace: string;
  name: string;
  /** The version that the write made; undefined for a deletion. */
  resourceVersion?: string | undefined;
  /** What was deleted. */
  uid?: string;
  /** When it was sent, by `performance.now()`. */
  sentAt: number;
}

/** What was asked for, of an object as it was seen. */
interface Applied {
  resource: Resource;
  seen: KubeObject | undefined;
  wish: object;
}

export interface Executed {
  /** What to wait for. */
  echoes: Echo[];
  /** The status is still to be told, by the pass that sees what this one has written. */
  statusDue: boolean;
}

export interface Subject {
  object: KubeObject & { status?: object | undefined };
  resource: Resource;
  /** The pass before this one left it out: it is told at once, lest a quarrel over a child keep it back for ever. */
  statusDue?: boolean;
}

/**
 * Records in the store, then children and deletions; the status, which speaks of what they have become, when there were
 * none to change; and last the events, of what has happened.
 */
export async function execute(
  { client, events, observed, isFresh, record, turn, answers }: Executor,
  { object, resource, statusDue = false }: Subject,
  plan: Plan<object>,
): Promise<Executed> {
  const echoes: Echo[] = [];
  for (const entry of plan.records ?? []) await record(entry);
  const children = plan.apply.map((child) => ({
    ...child,
    seen: observed(child.resource, child.object.metadata.namespace ?? "", child.object.metadata.name),
  }));
  const doomed = plan.delete.map((child) => ({
    child,
    version: observed(child.resource, child.namespace, child.name)?.metadata.resourceVersion,
  }));
  const irreversible = plan.delete.length > 0 || children.some(({ seen }) => !seen);
  // What is about to be made or deleted follows from a view that nobody has refreshed for a while: is it still true?
  if (irreversible && !isFresh(resource)) await confirm(client, resource, object.metadata);
  const applied = ({ resource: of, seen, wish }: Applied, sentAt: number, answer: ObjectMeta | undefined) => {
    if (!answer) return;
    const { namespace = "", name, resourceVersion } = answer;
    if (seen) answers.keep(answer, wish);
    // What has changed nothing does not come back.
    if (resourceVersion === undefined || resourceVersion !== seen?.metadata.resourceVersion)
      echoes.push({ resource: of, namespace, name, resourceVersion, sentAt });
  };
  const isThere = watchOver(observed, { object, resource });
  for (const { seen, ...child } of children) {
    if (!seen && !isThere()) throw new StaleViewError(`${resource.kind} ${object.metadata.name} is gone`);
    const wish = child.object;
    if (seen && answers.has(seen.metadata, wish)) continue;
    const sentAt = performance.now();
    applied({ resource: child.resource, seen, wish }, sentAt, await applyIfChanged(client, child, seen));
  }
  // At the version that was seen: what comes late, when somebody else leads, finds what is wanted again changed.
  for (const { child, version } of doomed) {
    echoes.push({ ...child, sentAt: performance.now() });
    await client.delete(child.resource, child, version);
  }
  // An event tells of a change, and the status shows every change: none of either at rest, or after a restart.
  const isNews = !sameStatus(object.status, plan.status) && !answers.has(object.metadata, plan.status);
  if (!isNews) return { echoes, statusDue: false };
  if (echoes.length > 0 && !statusDue) return { echoes, statusDue: true };
  return turn.status(async () => {
    const sentAt = performance.now();
    const answer = await applyStatus(client, { object, resource }, plan.status);
    applied({ resource, seen: object, wish: plan.status }, sentAt, answer);
    for (const event of plan.events) await events.record(object, event);
    return { echoes, statusDue: false };
  });
}

/** False once the object is deleted: of many children, those that are still to be made would be nobody's. */
function watchOver(observed: Executor["observed"], { object, resource }: Subject): () => boolean {
  const { namespace = "", name } = object.metadata;
  const uid = () => observed(resource, namespace, name)?.metadata.uid;
  const before = uid();
  return () => before === undefined || uid() === before;
}

/** The version that was planned for goes with it: without it, another object of that name would be given this one's status. */
function applyStatus(client: KubeClient, { object, resource }: Subject, status: object): Promise<ObjectMeta> {
  const { name, namespace, resourceVersion } = object.metadata;
  const metadata = { name, ...(namespace ? { namespace } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  const body = { apiVersion: object.apiVersion, kind: object.kind, metadata, status } as KubeObject;
  return client.apply(resource, body, { subresource: "status", manager: "lemnis-status" });
}

/** Equal when what would be written is what is there: members that are undefined are not written. */
function sameStatus(current: object | undefined, wanted: object): boolean {
  return isDeepStrictEqual(current ?? {}, JSON.parse(JSON.stringify(wanted)));
}
