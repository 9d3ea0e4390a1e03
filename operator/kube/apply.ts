/** Server-side apply that sends nothing when nothing would change. */
import { hash } from "node:crypto";
import type { KubeClient } from "./client.ts";
import { classify } from "./errors.ts";
import { holds } from "./holds.ts";
import type { KubeObject, ObjectMeta, OwnerReference, Resource } from "./types.ts";

/** On every child: the digest of what was applied last, which tells that a field is no longer wanted. */
const hashAnnotation = "lemnis.dev/applied-hash";

/** A child's name is taken by an object that is not ours; nothing was written. */
export class NameTakenError extends Error {
  constructor({ kind }: Resource, { metadata }: KubeObject, detail: string) {
    super(`${kind} ${metadata.name} exists already and is not this object's: delete or rename it (${detail})`);
    this.name = "NameTakenError";
  }
}

export interface Child {
  resource: Resource;
  object: KubeObject;
  /** True: it is made, and not applied; one that is there already keeps its spec, which is no longer ours to decide. */
  once?: boolean;
}

/** No object has it: an apply that carries it makes a new object, or is a conflict. */
const absent = "1";

/**
 * Applies what is wanted, unless the cached object already holds all of it. Drift by others in a field of ours is put
 * right; a field that is no longer wanted goes. One request: it makes what the cache has not, or changes the very
 * version that the cache has; what is otherwise is a conflict. Returns the metadata that the server answered, or undefined
 * when nothing was sent. Throws NameTakenError rather than take over an object of somebody else's: it would be deleted
 * with our object.
 */
export async function applyIfChanged(
  client: KubeClient,
  { resource, object, once = false }: Child,
  observed: KubeObject | undefined,
): Promise<ObjectMeta | undefined> {
  const desired = withHash(object);
  if (observed) return change(client, { resource, object: desired, once }, observed);
  try {
    if (once) return await client.make(resource, desired);
    return await client.apply(resource, atVersion(desired, { resourceVersion: absent }));
  } catch (error) {
    if (!["conflict", "exists"].includes(classify(error))) throw error;
    // The cache may lack what is there: it selects by a label, which others can take away.
    const { namespace, name } = object.metadata;
    return change(client, { resource, object: desired, once }, await client.get(resource, namespace, name));
  }
}

async function change(
  client: KubeClient,
  { resource, object, once }: Child,
  existing: KubeObject,
): Promise<ObjectMeta | undefined> {
  if (!isOurs(existing, object)) throw new NameTakenError(resource, object, whoseIs(existing));
  if (holds(existing, once ? { ...object, spec: undefined } : object)) return undefined;
  if (!once) return client.apply(resource, atVersion(object, existing.metadata));
  return client.amend(resource, { ...object.metadata, ...refound(existing, object) });
}

/** The version that was seen, and its owners with ours for the controller that it has or had. */
function refound({ metadata: seen }: KubeObject, { metadata: wanted }: KubeObject): Partial<ObjectMeta> {
  const others = seen.ownerReferences?.filter(({ controller }) => !controller) ?? [];
  return {
    ownerReferences: [...(wanted.ownerReferences ?? []), ...others],
    ...(seen.resourceVersion ? { resourceVersion: seen.resourceVersion } : {}),
  };
}

/** The uid too: an apply with a version alone would make an object anew that has been deleted. */
function atVersion(object: KubeObject, { uid, resourceVersion }: Partial<ObjectMeta>): KubeObject {
  const version = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  return { ...object, metadata: { ...object.metadata, ...version } };
}

/** What the same owner controls, also a former self of it; and what we have made and nobody controls, an orphan. */
function isOurs(existing: KubeObject, wanted: KubeObject): boolean {
  const [is, should] = [controllerOf(existing), controllerOf(wanted)];
  if (!is) return existing.metadata.annotations?.[hashAnnotation] !== undefined;
  const sameGroup = is.apiVersion.split("/")[0] === should?.apiVersion.split("/")[0];
  return sameGroup && is.kind === should?.kind && is.name === should.name;
}

function whoseIs(existing: KubeObject): string {
  const controller = controllerOf(existing);
  return controller ? `it belongs to ${controller.kind} ${controller.name}` : "Lemnis has not made it";
}

function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller);
}

function withHash(object: KubeObject): KubeObject {
  const applied = hash("sha256", JSON.stringify(object)).slice(0, 16);
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [hashAnnotation]: applied } } };
}
