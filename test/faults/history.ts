/** Everything that happened to the cluster, revision by revision, as the API server itself tells. */
import { Reflector, type Watched } from "../../operator/kube/reflector.ts";
import type { KubeObject, Resource } from "../../operator/kube/types.ts";
import { waitUntil } from "../cluster/progress.ts";
import { resourceOf } from "../rig/cluster.ts";

/** An object, as far as the checks look into it. */
export interface Seen extends KubeObject {
  // biome-ignore lint/suspicious/noExplicitAny: the checks read what they expect
  [member: string]: any;
}

export interface Happening {
  /** Of what a list no longer has: the list's, which is after it went. */
  revision: bigint;
  type: "added" | "modified" | "deleted";
  object: Seen;
  /** By `performance.now()`. */
  at: number;
}

export const ourKinds = ["Dataset", "TrainingJob", "Model", "InferenceService"] as const;
export const childKinds = ["Job", "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"] as const;

export class History {
  readonly #client: Watched;
  readonly #happenings: Happening[] = [];
  #stop = new AbortController();
  readonly #reflectors: readonly Reflector<KubeObject>[];
  #running: readonly Promise<void>[];
  readonly synced: Promise<unknown>;

  constructor(client: Watched) {
    this.#client = client;
    this.#reflectors = [...ourKinds, ...childKinds, "Lease", "Namespace"].map((kind) => this.#follow(resourceOf(kind)));
    this.#running = this.#reflectors.map((reflector) => reflector.run(this.#stop.signal));
    this.synced = Promise.all(this.#reflectors.map(({ whenSynced }) => whenSynced));
  }

  #follow(resource: Resource): Reflector<KubeObject> {
    const client = this.#client;
    let ofList = 0n;
    const followed: Watched = {
      watch: (...watch) => client.watch(...watch),
      async list<T>(...list: Parameters<Watched["list"]>) {
        const page = await client.list<T>(...list);
        ofList = BigInt(page.metadata.resourceVersion);
        return page;
      },
    };
    return new Reflector<KubeObject>(followed, resource, {
      onChange: ({ type, object, listed }) => {
        const revision = type === "deleted" && listed ? ofList : BigInt(object.metadata.resourceVersion ?? 0);
        this.#happenings.push({ revision, type, object: object as Seen, at: performance.now() });
      },
    });
  }

  /** In the order in which the cluster went through them. */
  get happenings(): readonly Happening[] {
    return this.#happenings.toSorted((a, b) => Number(a.revision - b.revision));
  }

  /** Waits until it has heard of everything that is in the namespace now, and of what went. */
  async catchUp(namespace: string): Promise<void> {
    const failure = () => new Error(`the history of ${namespace} is not complete`);
    await waitUntil(() => this.#isComplete(namespace).catch(() => false), { timeoutMs: 120_000, failure });
  }

  async #isComplete(namespace: string): Promise<boolean> {
    const versionsOf = (objects: readonly KubeObject[]) =>
      objects
        .filter(({ metadata }) => metadata.namespace === namespace)
        .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
        .sort()
        .join();
    for (const { resource, cache } of this.#reflectors) {
      const { items } = await this.#client.list<KubeObject>(resource, {});
      if (versionsOf(items) !== versionsOf(cache.list())) return false;
    }
    return true;
  }

  /** Reads on without a pause when the API server is back, and waits until nothing of the namespace is missing. */
  async resume(namespace: string): Promise<void> {
    await this.stop();
    this.#stop = new AbortController();
    this.#running = this.#reflectors.map((reflector) => reflector.run(this.#stop.signal));
    await this.catchUp(namespace);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}
