import { codeDigest } from "../../api/digest.ts";
import type { TrainingJob } from "../../api/v1alpha1/training-job.ts";
import { configMaps } from "../../kube/resources.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { World } from "../context.ts";
import type { Verdict } from "../verdict.ts";
import { gitCode } from "./git-code.ts";

/** The code that a run is named by. */
export interface Code {
  digest: string;
  /** The Git commit, where it comes from one, and where its files are: see `gitCode` in agent/tasks.ts. */
  commit?: string;
  git?: { url: string; digest: string; path: string };
}

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  /** In base64. */
  binaryData?: Record<string, string>;
}

/** Digests by the cached metadata of a ConfigMap, which a change replaces: contents are read once a change. */
const known = new WeakMap<KubeObject, string>();

/** The TrainingJob's code, or what is still missing; undefined when it names none. */
export async function codeOf(world: World, { spec, metadata }: TrainingJob): Promise<Code | Verdict | undefined> {
  const { namespace = "" } = metadata;
  const { configMapRef, gitRepositoryRef } = spec.code ?? {};
  if (gitRepositoryRef) {
    const repository = world.caches.gitRepositories.get(namespace, gitRepositoryRef.name);
    return gitCode(gitRepositoryRef, { flux: world.has("gitRepositories"), repository });
  }
  if (!configMapRef) return undefined;
  const digest = await configMapDigest(world, namespace, configMapRef.name);
  if (digest) return { digest };
  const message = `ConfigMap ${configMapRef.name} does not exist in this namespace`;
  return { state: "waiting", reason: "CodeNotFound", message };
}

async function configMapDigest(
  { caches, client }: World,
  namespace: string,
  name: string,
): Promise<string | undefined> {
  const seen = caches.configMaps.get(namespace, name);
  if (!seen) return undefined;
  const last = known.get(seen);
  if (last) return last;
  const { metadata, data = {}, binaryData = {} } = await client.get<ConfigMap>(configMaps, namespace, name);
  const texts = Object.entries(data).map(([file, text]) => [file, Buffer.from(text).toString("base64")]);
  const digest = codeDigest({ ...Object.fromEntries(texts), ...binaryData });
  // Something newer comes with the watch, under another object.
  if (metadata.resourceVersion === seen.metadata.resourceVersion) known.set(seen, digest);
  return digest;
}
