/** Server-side apply that sends nothing when nothing would change. */
import { createHash } from "node:crypto";
import type { KubeClient } from "./client.ts";
import { ApiError } from "./errors.ts";
import { holds } from "./holds.ts";
import type { KubeObject, OwnerReference, Resource } from "./types.ts";

/** On every child: the digest of what was applied last, which tells that a field is no longer wanted. */
const hashAnnotation = "lemnis.dev/applied-hash";

/** A child's name is taken by an object that is not ours; nothing was written. */
export class NameTakenError extends Error {
  constructor({ kind }: Resource, { metadata }: KubeObject, detail: string) {
    super(`${kind} ${metadata.name} exists already and is not this object's: delete or rename it (${detail})`);
    this.name = "NameTakenError";
  }
}

/**
 * Applies what is wanted, unless the cached object already holds all of it. Drift by others in a field of ours is put
 * right; a field that is no longer wanted goes. Returns what the server answered, or undefined when nothing was sent.
 * Throws NameTakenError rather than take over an object of somebody else's: it would be deleted with our object.
 */
export async function applyIfChanged(
  client: KubeClient,
  { resource, object }: { resource: Resource; object: KubeObject },
  observed: KubeObject | undefined,
): Promise<KubeObject | undefined> {
  const { namespace, name } = object.metadata;
  // The cache may lack what is there: it selects by a label, which others can take away.
  const existing = observed ?? (await find(client, resource, { namespace, name }));
  if (existing && !isOurs(existing, object)) throw new NameTakenError(resource, object, whoseIs(existing));
  const desired = withHash(object);
  if (observed && holds(observed, desired)) return undefined;
  try {
    // Without force, what somebody makes between our look and our write is not overwritten.
    return await client.apply(resource, desired, { force: existing !== undefined });
  } catch (error) {
    const taken =
      !existing && error instanceof ApiError && error.causes.some(({ reason }) => reason === "FieldManagerConflict");
    if (taken) throw new NameTakenError(resource, object, error.causes[0]?.message ?? error.message);
    throw error;
  }
}

async function find(
  client: KubeClient,
  resource: Resource,
  { namespace, name }: { namespace: string | undefined; name: string },
): Promise<KubeObject | undefined> {
  try {
    return await client.get(resource, namespace, name);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
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
  const hash = createHash("sha256").update(JSON.stringify(object)).digest("hex").slice(0, 16);
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [hashAnnotation]: hash } } };
}
