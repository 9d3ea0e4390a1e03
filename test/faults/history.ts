/** Everything that happened to the cluster, revision by revision, as the API server itself tells. */

import type { KubeClient } from "../../operator/kube/client.ts";
import { Reflector } from "../../operator/kube/reflector.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import { resourceOf } from "../rig/cluster.ts";

/** An object, as far as the checks look into it. */
export interface Seen extends KubeObject {
  // biome-ignore lint/suspicious/noExplicitAny: the checks read what they expect
  [member: string]: any;
}

export interface Happening {
  revision: bigint;
  type: "added" | "modified" | "deleted";
  object: Seen;
  /** By `performance.now()`. */
  at: number;
}

export const ourKinds = ["Dataset", "TrainingJob", "Model", "InferenceService"] as const;
export const childKinds = ["Job", "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"] as const;

export class History {
  readonly #happenings: Happening[] = [];
  readonly #stop = new AbortController();
  readonly #reflectors: readonly Reflector<KubeObject>[];
  readonly #running: readonly Promise<void>[];
  readonly synced: Promise<unknown>;

  constructor(client: KubeClient) {
    this.#reflectors = [...ourKinds, ...childKinds, "Lease", "Namespace"].map(
      (kind) =>
        new Reflector<KubeObject>(client, resourceOf(kind), {
          onChange: ({ type, object }) => {
            const revision = BigInt(object.metadata.resourceVersion ?? 0);
            this.#happenings.push({ revision, type, object: object as Seen, at: performance.now() });
          },
        }),
    );
    this.#running = this.#reflectors.map((reflector) => reflector.run(this.#stop.signal));
    this.synced = Promise.all(this.#reflectors.map(({ whenSynced }) => whenSynced));
  }

  /** In the order in which the cluster went through them. */
  get happenings(): readonly Happening[] {
    return this.#happenings.toSorted((a, b) => Number(a.revision - b.revision));
  }

  /** The objects of a namespace as they are. */
  now(namespace: string): Seen[] {
    return this.#reflectors
      .flatMap(({ cache }) => cache.list() as Seen[])
      .filter(({ metadata }) => metadata.namespace === namespace);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}
