import type { KubeClient } from "./client.ts";
import { StaleViewError } from "./errors.ts";
import type { ObjectMeta, Resource } from "./types.ts";

/** The metadata of an object that the API server has at the very version that was seen. Throws StaleViewError when it is another. */
export async function confirm(client: KubeClient, resource: Resource, seen: ObjectMeta): Promise<ObjectMeta> {
  const { metadata } = await client.getMetadata(resource, seen.namespace, seen.name);
  const { uid, resourceVersion } = metadata;
  if (uid === seen.uid && resourceVersion === seen.resourceVersion) return metadata;
  throw new StaleViewError(
    `${resource.kind} ${seen.name} is at version ${resourceVersion}, seen was ${seen.resourceVersion}`,
  );
}
