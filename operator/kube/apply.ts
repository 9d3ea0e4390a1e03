/** Server-side apply that sends nothing when nothing would change. */
import { createHash } from "node:crypto";
import type { KubeClient } from "./client.ts";
import { ApiError } from "./errors.ts";
import { holds } from "./holds.ts";
import type { KubeObject, Resource } from "./types.ts";

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
 */
export async function applyIfChanged(
  client: KubeClient,
  { resource, object }: { resource: Resource; object: KubeObject },
  observed: KubeObject | undefined,
): Promise<KubeObject | undefined> {
  const desired = withHash(object);
  if (observed && holds(observed, desired)) return undefined;
  try {
    // What is not in the cache should not exist: without force, an object of somebody else's is not taken over.
    return await client.apply(resource, desired, { force: observed !== undefined });
  } catch (error) {
    const taken =
      !observed && error instanceof ApiError && error.causes.some(({ reason }) => reason === "FieldManagerConflict");
    if (taken) throw new NameTakenError(resource, object, error.causes[0]?.message ?? error.message);
    throw error;
  }
}

function withHash(object: KubeObject): KubeObject {
  const hash = createHash("sha256").update(JSON.stringify(object)).digest("hex").slice(0, 16);
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [hashAnnotation]: hash } } };
}
