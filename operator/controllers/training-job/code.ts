import { codeDigest } from "../../api/digest.ts";
import type { TrainingJob } from "../../api/v1alpha1/training-job.ts";
import { configMaps } from "../../kube/resources.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { World } from "../context.ts";

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  /** In base64. */
  binaryData?: Record<string, string>;
}

/** Digests by the cached metadata of a ConfigMap, which a change replaces: contents are read once a change. */
const known = new WeakMap<KubeObject, string>();

/** The digest of the TrainingJob's code; undefined when no ConfigMap is named or it does not exist. */
export async function codeDigestOf({ caches, client }: World, trainingJob: TrainingJob): Promise<string | undefined> {
  const name = trainingJob.spec.code?.configMapRef.name;
  const namespace = trainingJob.metadata.namespace ?? "";
  const seen = name ? caches.configMaps.get(namespace, name) : undefined;
  if (!name || !seen) return undefined;
  const last = known.get(seen);
  if (last) return last;
  const { metadata, data = {}, binaryData = {} } = await client.get<ConfigMap>(configMaps, namespace, name);
  const texts = Object.entries(data).map(([file, text]) => [file, Buffer.from(text).toString("base64")]);
  const digest = codeDigest({ ...Object.fromEntries(texts), ...binaryData });
  // Something newer comes with the watch, under another object.
  if (metadata.resourceVersion === seen.metadata.resourceVersion) known.set(seen, digest);
  return digest;
}
