/** Code in Git: Flux fetches the repository, and its artifact names the commit. */
import { posix } from "node:path";
import { jsonDigest } from "../../api/digest.ts";
import { gitRepositories } from "../../kube/resources.ts";
import { apiVersionOf, type KubeObject } from "../../kube/types.ts";
import type { ConditionLike } from "../children/types.ts";
import type { Verdict } from "../verdict.ts";
import type { Code } from "./code.ts";

/** The part of a GitRepository that is read. */
export interface GitRepository extends KubeObject {
  status?: {
    observedGeneration?: number;
    artifact?: { url: string; digest: string; revision: string };
    conditions?: readonly ConditionLike[];
  };
}

/** Of a GitRepository's status, the artifact and why there is none. */
export function trimGitRepository({ apiVersion, kind, metadata, status }: GitRepository): GitRepository {
  const { observedGeneration = 0, artifact, conditions } = status ?? {};
  const ready = conditions?.find(({ type }) => type === "Ready");
  const kept = {
    observedGeneration,
    ...(artifact ? { artifact: { url: artifact.url, digest: artifact.digest, revision: artifact.revision } } : {}),
    ...(ready ? { conditions: [{ type: "Ready", status: ready.status, message: ready.message ?? "" }] } : {}),
  };
  const { name, namespace, uid, resourceVersion, generation } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion, generation } as KubeObject["metadata"],
    status: kept,
  };
}

interface Seen {
  /** True where the cluster has Flux. */
  flux: boolean;
  repository: GitRepository | undefined;
}

/** The commit that the GitRepository holds now, or what is still missing. */
export function gitCode(ref: { name: string; path?: string | undefined }, { flux, repository }: Seen): Code | Verdict {
  if (!flux) {
    const message = `spec.code.gitRepositoryRef needs Flux, and the cluster serves no GitRepositories (${apiVersionOf(gitRepositories)}): install its source-controller`;
    return missing("FluxNotFound", message);
  }
  if (!repository) return missing("CodeNotFound", `GitRepository ${ref.name} does not exist in this namespace`);
  const { artifact, conditions, observedGeneration = 0 } = repository.status ?? {};
  if (!artifact || observedGeneration < (repository.metadata.generation ?? 0)) {
    const why = conditions?.find(({ type }) => type === "Ready")?.message || "Flux has not fetched it yet";
    return missing("CodeNotReady", `GitRepository ${ref.name}: ${why}`.slice(0, 1024));
  }
  const trouble = unfit(artifact);
  if (trouble) return missing("CodeNotReady", `GitRepository ${ref.name}: ${trouble}`);
  const { url, digest, revision } = artifact;
  const path = posix.normalize(ref.path ?? ".").replace(/\/$/, "");
  const git = { url, digest, path: path === "." ? "" : path };
  return { digest: jsonDigest({ artifact: digest, path: git.path }), commit: commitOf(revision), git };
}

function unfit({ url, digest }: { url: string; digest: string }): string | undefined {
  const parsed = URL.parse(url);
  const inCluster = /^[a-z0-9-]+\.[a-z0-9-]+\.svc(\.|$)/.test(parsed?.hostname ?? "");
  if (!parsed || !/^https?:$/.test(parsed.protocol) || !inCluster) {
    return `its artifact is at ${url.slice(0, 200)}, which is no Service of this cluster`;
  }
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
    return `its artifact has the digest ${digest.slice(0, 80)}: set source-controller's --artifact-digest-algo to sha256`;
  }
  return undefined;
}

/** Flux writes `main@sha1:<hash>`; older ones wrote `main/<hash>`. */
function commitOf(revision: string): string {
  return (/[0-9a-f]{40,64}$/.exec(revision)?.[0] ?? revision).slice(0, 128);
}

function missing(reason: string, message: string): Verdict {
  return { state: "waiting", reason, message };
}
