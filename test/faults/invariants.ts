/** What must hold at every revision of the cluster, whatever was done to the operator. A violation is a sentence. */
import { annotations, labels } from "../../operator/controllers/labels.ts";
import { resourceOfPlural } from "../rig/cluster.ts";
import type { Happening, Seen } from "./history.ts";
import type { Write } from "./proxy.ts";

/** For as long a process on a busy machine may not have heard that an owner went; the collector takes what it makes then. */
const lateMs = 5_000;

type Key = string;
const keyOf = ({ kind, metadata: { namespace, name } }: Seen): Key => `${kind} ${namespace}/${name}`;
const controllerOf = ({ metadata }: Seen) =>
  metadata.ownerReferences?.find(({ controller, apiVersion }) => controller && apiVersion.startsWith("lemnis.dev/"));

interface World {
  objects: Map<Key, Seen>;
  /** When each uid went. */
  gone: Map<string, number>;
  /** When what decides about traffic was changed last. */
  changed: Map<Key, number>;
  /** Digests of runs whose Job has completed. */
  completed: Set<string>;
  /** Uids of what the operator deleted itself. */
  deleted: ReadonlySet<string>;
  /** When the writes were sent, by the version that they made. */
  sent: ReadonlyMap<string | undefined, number>;
  /** Versions that somebody else made on purpose. */
  foreign: ReadonlySet<string>;
}
type Check = (happening: Happening, before: Seen | undefined, world: World) => string | undefined;

/** S1: every child's owner lives, in the child's own namespace (S8). */
const ownerLives: Check = ({ type, object, at }, _, { objects, gone, sent }) => {
  const owner = controllerOf(object);
  if (type !== "added" || !owner) return undefined;
  const alive = objects.get(`${owner.kind} ${object.metadata.namespace}/${owner.name}`)?.metadata.uid === owner.uid;
  const madeAt = sent.get(object.metadata.resourceVersion) ?? at;
  if (alive || madeAt - (gone.get(owner.uid) ?? Number.NEGATIVE_INFINITY) < lateMs) return undefined;
  const elsewhere = [...objects.values()].find(({ metadata }) => metadata.uid === owner.uid);
  if (elsewhere) return `S8: ${keyOf(object)} was made for ${keyOf(elsewhere)}`;
  return `S1: ${keyOf(object)} was made for ${owner.kind} ${owner.name}, which is not there`;
};

const runDigest = ({ metadata }: Seen): string | undefined => {
  const text = metadata.annotations?.[annotations.run];
  return text ? JSON.parse(text).digest : undefined;
};

/** S2: at most one Job for a run, and none for a run that has succeeded. */
const oneJobPerRun: Check = ({ type, object }, _, { objects, completed }) => {
  const digest = object.kind === "Job" ? runDigest(object) : undefined;
  if (!digest) return undefined;
  if (object.status?.conditions?.some(({ type: what, status }: Seen) => what === "Complete" && status === "True"))
    completed.add(digest);
  if (type !== "added") return undefined;
  const { namespace, name, uid } = object.metadata;
  if (completed.has(digest)) return `S2: Job ${name} runs what has succeeded before`;
  const twin = [...objects.values()].find(
    (other) =>
      other.kind === "Job" &&
      other.metadata.uid !== uid &&
      other.metadata.namespace === namespace &&
      !other.metadata.deletionTimestamp &&
      runDigest(other) === digest,
  );
  return twin && `S2: Job ${name} runs what Job ${twin.metadata.name} runs`;
};

/** From which Deployment to which of the same owner a Service's traffic moves with this, where there were both. */
function moveOf({ type, object }: Happening, before: Seen | undefined, { objects, foreign }: World) {
  const { namespace, resourceVersion = "", labels: own } = object.metadata;
  if (foreign.has(resourceVersion) || object.kind !== "Service" || type === "deleted") return undefined;
  const [from, to] = [before?.spec?.selector, object.spec?.selector].map((selector) => selector?.[labels.workload]);
  const previous = from && objects.get(`Deployment ${namespace}/${from}`);
  if (!own?.[labels.inferenceService] || to === from || !previous || previous.metadata.deletionTimestamp)
    return undefined;
  // What a former owner of the name has left goes with it.
  if (controllerOf(previous)?.uid !== controllerOf(object)?.uid) return undefined;
  return { to, next: objects.get(`Deployment ${namespace}/${to}`) };
}

/** S3: a Service's traffic moves only to a Deployment that is ready; what it has stays. */
const readyTraffic: Check = (happening, before, world) => {
  const { type, object, revision } = happening;
  const { objects, deleted } = world;
  const move = moveOf(happening, before, world);
  if (move) {
    const { readyReplicas = 0, observedGeneration } = move.next?.status ?? {};
    return readyReplicas < 1 || observedGeneration !== move.next?.metadata.generation
      ? `S3: at ${revision} the traffic of ${object.metadata.name} moved to ${move.to}, which is not ready`
      : undefined;
  }
  if (object.kind !== "Deployment" || type !== "deleted" || !deleted.has(object.metadata.uid ?? "")) return undefined;
  const { namespace } = object.metadata;
  const owner = controllerOf(object);
  const service = objects.get(`Service ${namespace}/${owner?.name}`);
  const ownerLives = objects.get(`InferenceService ${namespace}/${owner?.name}`)?.metadata.uid === owner?.uid;
  const serves = service?.spec?.selector?.[labels.workload] === object.metadata.name;
  return ownerLives && serves ? `S3: at ${revision} ${keyOf(object)} went while it had the traffic` : undefined;
};

/** S3: a version that failed its gates, was not judged yet or is not known is not deployed, nor does traffic move to it. */
const gatedModels: Check = (happening, before, world) => {
  const { type, object, at, revision } = happening;
  const isMade = object.kind === "Deployment" && type === "added";
  const workload = isMade ? object : moveOf(happening, before, world)?.next;
  const version = workload?.metadata.annotations?.[annotations.modelVersion];
  if (!workload || !version) return undefined;
  const { namespace } = object.metadata;
  const service = world.objects.get(`InferenceService ${namespace}/${controllerOf(workload)?.name}`);
  const model = world.objects.get(`Model ${namespace}/${service?.spec?.modelRef?.name}`);
  if (!service || !model?.status?.versions) return undefined;
  const stage = stageOf(model, version) ?? (service.spec.modelRef.version ? "Passed" : "unknown");
  const heard = [service, model].every((seen) => at - (world.changed.get(keyOf(seen)) ?? 0) > lateMs);
  const isWrong = ["Failed", "Candidate"].includes(stage) ? isMade || heard : stage === "unknown" && heard;
  return isWrong ? `S3: at ${revision} ${keyOf(workload)} serves version ${version}, which is ${stage}` : undefined;
};

const stageOf = ({ status }: Seen, version: string): string | undefined =>
  status?.versions?.find((known: Seen) => known.version === Number(version))?.stage;

/** What a decision about traffic is made from: the spec, and the stages of the versions. */
const decisive = ({ metadata: { uid, generation }, status }: Seen) =>
  JSON.stringify([uid, generation, status?.versions?.map(({ version, stage }: Seen) => [version, stage])]);

/** S6: a status is of a generation that was, and of none that it has left behind. */
const trueGeneration: Check = ({ type, object }, before) => {
  const [was, is] = [before?.status?.observedGeneration ?? 0, object.status?.observedGeneration ?? 0];
  if (type === "deleted" || !object.apiVersion.startsWith("lemnis.dev/")) return undefined;
  if (is > (object.metadata.generation ?? 0))
    return `S6: ${keyOf(object)} has observed generation ${is}, which is to come`;
  return before?.metadata.uid === object.metadata.uid && is < was
    ? `S6: ${keyOf(object)} went back from generation ${was} to ${is}`
    : undefined;
};

const checks: readonly Check[] = [ownerLives, oneJobPerRun, readyTraffic, gatedModels, trueGeneration];

/** Plays the history again, and says what was wrong on the way and at its end. */
export function violations(
  happenings: readonly Happening[],
  { writes, foreign }: { writes: readonly Write[]; foreign: ReadonlySet<string> },
): string[] {
  const deletions = writes.filter(({ verb }) => verb === "delete");
  const deleted = new Set(deletions.map(deletedBy));
  const sent = new Map(writes.map(({ resourceVersion, sentAt }) => [resourceVersion, sentAt]));
  const seen = { objects: new Map(), gone: new Map(), changed: new Map(), completed: new Set<string>() };
  const world: World = { ...seen, deleted, sent, foreign };
  const found: string[] = [];
  for (const happening of happenings) {
    const { type, object, at } = happening;
    const key = keyOf(object);
    const before = world.objects.get(key);
    if (type === "deleted") {
      // What a list no longer has may be heard of after what has taken its name.
      if (before?.metadata.uid === object.metadata.uid) world.objects.delete(key);
      world.gone.set(object.metadata.uid ?? "", at);
    } else world.objects.set(key, object);
    if (!before || decisive(before) !== decisive(object)) world.changed.set(key, at);
    found.push(...checks.flatMap((check) => check(happening, before, world) ?? []));
  }
  return [...found, ...orphans(world)];
}

function orphans({ objects }: World): string[] {
  return [...objects.values()].flatMap((object) => {
    const owner = controllerOf(object);
    if (!owner || objects.get(`${owner.kind} ${object.metadata.namespace}/${owner.name}`)?.metadata.uid === owner.uid)
      return [];
    return [`S1: ${keyOf(object)} has outlived ${owner.kind} ${owner.name}`];
  });
}

/** For how long a renewal of the Lease keeps others from it; a write that begins later is nobody's to make. */
const leaseMs = 15_000;

/**
 * S7: who writes holds the Lease at the revision of the write, and has renewed it within its length before it was sent.
 * A write that nobody waits for any more may come when another leads, if it changes nothing that has changed since.
 * `writer` is the identity of the process that wrote.
 */
export function writesWithoutLease(
  happenings: readonly Happening[],
  writes: readonly { writer: string; write: Write }[],
): string[] {
  const leases = happenings.filter(({ object }) => object.metadata.name === "lemnis-operator");
  const deletions = happenings.filter(({ type }) => type === "deleted");
  const wentAt = new Map(deletions.map(({ object, revision }) => [object.metadata.uid, revision]));
  return writes.flatMap(({ writer, write }) => {
    const { status, verb, plural, name, resourceVersion, sentAt, isLate } = write;
    if (status >= 300) return [];
    const what = `${writer} wrote (${verb} ${plural} ${name})`;
    // A deletion is answered without a version.
    const revision = verb === "delete" ? wentAt.get(deletedBy(write)) : BigInt(resourceVersion ?? 0);
    if (!revision) return [`S7: when ${what} is not to be known`];
    const before = leases.filter((lease) => lease.revision < revision);
    const holder = before.at(-1)?.object.spec?.holderIdentity;
    const held = before.findLast(({ object }) => object.spec?.holderIdentity === writer);
    if (!held || (holder !== writer && !isLate)) return [`S7: ${what} while ${holder || "nobody"} held the lease`];
    const age = Math.round(sentAt - held.at);
    if (age > leaseMs) return [`S7: ${what} ${age} ms after it had renewed the lease`];
    const taken = before.find((lease) => lease.revision > held.revision)?.revision ?? revision;
    const since = happenings.filter((happening) => happening.revision > taken && happening.revision < revision);
    return since.some(({ object }) => isOf(object, write))
      ? [`S7: ${what}, which has changed since ${holder} took the lease`]
      : [];
  });
}

const isOf = ({ kind, metadata }: Seen, { plural, namespace, name }: Write) =>
  metadata.name === name && metadata.namespace === namespace && kind === resourceOfPlural(plural).kind;

/** The uid of what a deletion deletes. */
function deletedBy({ body }: Write): string {
  return JSON.parse(body.toString()).preconditions.uid;
}

/** S8: of all that the tenant of a namespace asks for, nothing is written in another. */
export function writesElsewhere(writes: readonly Write[], tenant: string): string[] {
  return writes
    .filter(({ namespace }) => namespace !== tenant)
    .map(({ verb, plural, namespace, name }) => `S8: ${verb} ${plural} ${namespace}/${name} for ${tenant}`);
}
