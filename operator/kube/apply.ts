/** Children: made by a POST, changed by server-side apply, and nothing is sent when nothing would change. */
import { hash } from "node:crypto";
import { fieldManager, type KubeClient } from "./client.ts";
import { confirm } from "./confirm.ts";
import { classify } from "./errors.ts";
import { holds } from "./holds.ts";
import type { KubeObject, ObjectMeta, OwnerReference, Resource } from "./types.ts";

/** On every child: the digest of what was sent last, which tells that a field is no longer wanted. */
const digestAnnotation = "lemnis.dev/applied-hash";
/** Before the digest of an object that is still wanted as it was made by a POST. */
const madeMark = "made-";

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

/**
 * Makes what is not there, and applies what is wanted unless the cached object already holds all of it. Drift by others in
 * a field of ours is put right; a field that is no longer wanted goes. What is made was not there; what is changed is the
 * very version that the cache has; what is otherwise is a conflict. Returns the metadata that the server answered, or
 * undefined when nothing was sent. Throws NameTakenError rather than take over an object of somebody else's: it would be
 * deleted with our object.
 */
export async function applyIfChanged(
  client: KubeClient,
  child: Child,
  observed: KubeObject | undefined,
): Promise<ObjectMeta | undefined> {
  const { resource, object, once = false } = child;
  if (observed) return change(client, child, observed);
  try {
    return await client.make(resource, withDigest(object, once ? "" : madeMark));
  } catch (error) {
    if (classify(error) !== "exists") throw error;
    // The cache may lack what is there: it selects by a label, which others can take away.
    const { namespace, name } = object.metadata;
    return change(client, child, await client.get(resource, namespace, name));
  }
}

async function change(
  client: KubeClient,
  { resource, object, once }: Child,
  existing: KubeObject,
): Promise<ObjectMeta | undefined> {
  if (!isOurs(existing, object)) throw new NameTakenError(resource, object, whoseIs(existing));
  if (once) return adopt(client, { resource, object }, existing);
  const digest = digestOf(existing);
  // What has lost the digest may have been made as well.
  const isMade = digest?.startsWith(madeMark) ?? true;
  const wanted = withDigest(object, isMade ? madeMark : "");
  if (holds(existing, wanted)) return undefined;
  // To put right what others have changed takes nothing away.
  if (!isMade || digest === digestOf(wanted)) return client.apply(resource, atVersion(wanted, existing.metadata));
  return client.apply(resource, atVersion(withDigest(object), await claim(client, resource, existing.metadata)));
}

/** What is made once keeps its spec, and has our owner in the place of the controller that it has or had. */
async function adopt(
  client: KubeClient,
  { resource, object }: Child,
  existing: KubeObject,
): Promise<ObjectMeta | undefined> {
  const wanted = withDigest(object);
  if (holds(existing, { ...wanted, spec: undefined })) return undefined;
  const others = existing.metadata.ownerReferences?.filter(({ controller }) => !controller) ?? [];
  const ownerReferences = [...(wanted.metadata.ownerReferences ?? []), ...others];
  return client.amend(resource, existing.metadata, { ...wanted.metadata, ownerReferences });
}

/** Before something else is applied than was made: gives apply what a POST has set, which else would stay when it is no longer wanted. */
async function claim(client: KubeClient, resource: Resource, seen: ObjectMeta): Promise<ObjectMeta> {
  const metadata = await confirm(client, resource, seen);
  const { managedFields = [] } = metadata;
  const ours = managedFields.filter(({ manager, subresource }) => manager === fieldManager && !subresource);
  const made = ours.find(({ operation }) => operation === "Update");
  if (!made) return metadata;
  // What was applied since is the same.
  const others = managedFields.filter((entry) => entry !== made);
  const claimed = ours.length > 1 ? others : [...others, { ...made, operation: "Apply" as const }];
  return client.amend(resource, metadata, { managedFields: claimed });
}

/** The uid too: an apply with a version alone would make an object anew that has been deleted. */
function atVersion(object: KubeObject, { uid, resourceVersion }: Partial<ObjectMeta>): KubeObject {
  const version = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  return { ...object, metadata: { ...object.metadata, ...version } };
}

/** What the same owner controls, also a former self of it; and what we have made and nobody controls, an orphan. */
function isOurs(existing: KubeObject, wanted: KubeObject): boolean {
  const [is, should] = [controllerOf(existing), controllerOf(wanted)];
  if (!is) return digestOf(existing) !== undefined;
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

function digestOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[digestAnnotation];
}

function withDigest(object: KubeObject, mark = ""): KubeObject {
  const digest = `${mark}${hash("sha256", JSON.stringify(object)).slice(0, 16)}`;
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [digestAnnotation]: digest } } };
}
