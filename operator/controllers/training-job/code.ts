import { codeDigest } from "../../api/digest.ts";
import type { TrainingJob } from "../../api/v1alpha1/training-job.ts";
import { configMaps } from "../../kube/resources.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { World } from "../context.ts";

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** Digests by ConfigMap uid, each with the resourceVersion it was taken at: contents are read once a change. */
const known = new WeakMap<World, Map<string, { resourceVersion: string; digest: string }>>();

/** The digest of the TrainingJob's code; undefined when no ConfigMap is named or it does not exist. */
export async function codeDigestOf(world: World, trainingJob: TrainingJob): Promise<string | undefined> {
  const name = trainingJob.spec.code?.configMapRef.name;
  const namespace = trainingJob.metadata.namespace ?? "";
  const seen = name ? world.caches.configMaps.get(namespace, name) : undefined;
  if (!name || !seen) return undefined;
  const digests = known.get(world) ?? new Map();
  known.set(world, digests);
  const key = `${namespace}/${name}`;
  const last = digests.get(key);
  if (last && last.resourceVersion === seen.metadata.resourceVersion) return last.digest;
  const configMap = await world.client.get<ConfigMap>(configMaps, namespace, name);
  const digest = codeDigest(configMap.data ?? {});
  digests.set(key, { resourceVersion: configMap.metadata.resourceVersion ?? "", digest });
  return digest;
}
