/** Kinds of other projects: watched while a CustomResourceDefinition serves them, found and dropped without a restart. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Dataset, DatasetSpec } from "./api/v1alpha1/dataset.ts";
import type { InferenceService, InferenceServiceSpec } from "./api/v1alpha1/inference-service.ts";
import type { TrainingJob, TrainingJobSpec } from "./api/v1alpha1/training-job.ts";
import type { OptionalKind } from "./controllers/context.ts";
import type { Controller, Key } from "./controllers/controller.ts";
import type { Cache, Indexes } from "./kube/cache.ts";
import type { KubeClient } from "./kube/client.ts";
import { ApiError } from "./kube/errors.ts";
import { type Change, Reflector } from "./kube/reflector.ts";
import { customResourceDefinitions } from "./kube/resources.ts";
import type { KubeObject } from "./kube/types.ts";
import type { Reflectors } from "./world.ts";

interface Entry {
  /** The first of these that is served is used. More than one only where we read no more than metadata. */
  versions: readonly string[];
  /** Whose plans depend on whether the kind is there. */
  users: readonly Users[];
}
interface Users {
  cache: Controller<never>["cache"];
  uses: (object: KubeObject) => boolean;
}

/** By the cache that holds the kind's objects. */
export const optionalKinds: Readonly<Record<OptionalKind, Entry>> = {
  serviceMonitors: { versions: ["v1"], users: [services(() => true), datasets(({ online }) => online !== undefined)] },
  prometheusRules: { versions: ["v1"], users: [services(({ slo }) => slo !== undefined)] },
  httpRoutes: { versions: ["v1"], users: [services(({ gateway }) => gateway !== undefined)] },
  scaledObjects: { versions: ["v1alpha1"], users: [services(({ scaleQuery }) => scaleQuery !== undefined)] },
  localQueues: { versions: ["v1beta2", "v1beta1"], users: [jobs(({ queueName }) => queueName !== undefined)] },
  gitRepositories: { versions: ["v1"], users: [jobs(({ code }) => code?.gitRepositoryRef !== undefined)] },
};

function datasets(uses: (spec: DatasetSpec) => boolean): Users {
  return { cache: "datasets", uses: (dataset) => uses((dataset as Dataset).spec) };
}
function jobs(uses: (spec: TrainingJobSpec) => boolean): Users {
  return { cache: "trainingJobs", uses: (job) => uses((job as TrainingJob).spec) };
}
function services(uses: (spec: InferenceServiceSpec) => boolean): Users {
  return { cache: "inferenceServices", uses: (service) => uses((service as InferenceService).spec) };
}

const usesIndex = "uses";

/** The index of one of our caches by the optional kinds that its objects use: nobody reads ten thousand to find a few. */
export function byUse(cache: Users["cache"]): Indexes<KubeObject> {
  const entries = Object.entries(optionalKinds).flatMap(([kind, { users }]) =>
    users.filter((user) => user.cache === cache).map(({ uses }) => ({ kind, uses })),
  );
  return { [usesIndex]: (object) => entries.filter(({ uses }) => uses(object)).map(({ kind }) => kind) };
}

/** The objects in such a cache whose plans depend on whether the kind is there. */
export function usersOf(kind: OptionalKind, cache: Cache<KubeObject>): readonly Key[] {
  return cache.keysByIndex(usesIndex, kind);
}

interface Definition extends KubeObject {
  spec: { versions: readonly { name: string; served: boolean }[] };
  status?: { conditions?: readonly { type: string; status: string }[] };
}

interface Options {
  signal: AbortSignal;
  /** Told when a kind's objects are in their cache, and when the kind has gone. */
  onChange: (kind: OptionalKind) => void;
}

export class OptionalKinds {
  /** To be run with the other watches; of metadata alone, so that it costs little where there are many definitions. */
  readonly definitions: Reflector<KubeObject>;
  readonly #client: KubeClient;
  readonly #reflectors: Reflectors;
  readonly #options: Options;
  readonly #looks = new Map<OptionalKind, { stop: AbortController; done: Promise<void> }>();
  readonly #watches = new Map<OptionalKind, { stop: AbortController; version: string; synced: Promise<void> }>();

  constructor(client: KubeClient, reflectors: Reflectors, options: Options) {
    this.#client = client;
    this.#reflectors = reflectors;
    this.#options = options;
    this.definitions = new Reflector<KubeObject>(client, customResourceDefinitions, {
      metadataOnly: true,
      onChange: (change) => this.#follow(change),
    });
  }

  /** True while the kind is served and its objects are in the cache. */
  has(kind: OptionalKind): boolean {
    return this.#watches.has(kind) && this.#reflectors[kind].cache.synced;
  }

  /** The watches of the kinds that are there. */
  watched(): Reflector<KubeObject>[] {
    return [...this.#watches.keys()].map((kind) => this.#reflectors[kind]);
  }

  /** Resolves when each kind that is there has been looked at and listed; what can't be listed is not waited for. */
  async settled(patienceMs: number): Promise<void> {
    const all = async () => {
      await this.definitions.whenSynced;
      await Promise.all([...this.#looks.values()].map(({ done }) => done));
      await Promise.all([...this.#watches.values()].map(({ synced }) => synced));
    };
    const late = new AbortController();
    await Promise.race([all(), sleep(patienceMs, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
  }

  #follow({ type, object: { metadata } }: Change<KubeObject>): void {
    const kind = kindOf(metadata.name, this.#reflectors);
    if (!kind) return;
    this.#looks.get(kind)?.stop.abort();
    this.#looks.delete(kind);
    if (type === "deleted" || metadata.deletionTimestamp) {
      this.#drop(kind);
    } else {
      const stop = new AbortController();
      const done = this.#look(kind, metadata.name, AbortSignal.any([stop.signal, this.#options.signal]));
      this.#looks.set(kind, { stop, done });
    }
  }

  /** Metadata does not tell which versions are served, nor whether they are yet; one read a change of the definition does. */
  async #look(kind: OptionalKind, definition: string, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const found = await this.#client.get<Definition>(customResourceDefinitions, undefined, definition);
        if (signal.aborted) return;
        const version = servedVersion(found, optionalKinds[kind].versions);
        return version ? this.#watch(kind, version) : this.#drop(kind);
      } catch (error) {
        // The watch of the definitions tells of its end.
        if (error instanceof ApiError && error.status === 404) return;
        const pause = Math.min(30_000, 200 * 2 ** Math.min(failures, 8)) * (0.5 + Math.random());
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #watch(kind: OptionalKind, version: string): void {
    if (this.#watches.get(kind)?.version === version) return;
    this.#drop(kind);
    const reflector = this.#reflectors[kind];
    reflector.useVersion(version);
    const stop = new AbortController();
    const synced = reflector.whenSynced.then(() => {
      if (this.#watches.get(kind)?.stop === stop) this.#options.onChange(kind);
    });
    this.#watches.set(kind, { stop, version, synced });
    void reflector.run(AbortSignal.any([stop.signal, this.#options.signal]));
  }

  #drop(kind: OptionalKind): void {
    const watch = this.#watches.get(kind);
    if (!watch) return;
    this.#watches.delete(kind);
    watch.stop.abort();
    this.#reflectors[kind].clear();
    this.#options.onChange(kind);
  }
}

function kindOf(definition: string, reflectors: Reflectors): OptionalKind | undefined {
  return (Object.keys(optionalKinds) as OptionalKind[]).find((kind) => {
    const { plural, group } = reflectors[kind].resource;
    return definition === `${plural}.${group}`;
  });
}

/** The one to use; undefined while the API server does not serve the kind, or serves it in versions that we do not know. */
function servedVersion({ metadata, spec, status }: Definition, wanted: readonly string[]): string | undefined {
  const established = status?.conditions?.some(
    (condition) => condition.type === "Established" && condition.status === "True",
  );
  if (!established || metadata.deletionTimestamp) return undefined;
  return wanted.find((name) => spec.versions.some((version) => version.name === name && version.served));
}
