/** Keeps a cache true to the API server: a paged list, then watches from where it ended, then a list again when one is lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { type CacheOptions, cacheKey, ObjectCache, trimObject } from "./cache.ts";
import type { KubeClient } from "./client.ts";
import { ApiError } from "./errors.ts";
import { inPages } from "./pages.ts";
import { apiVersionOf, type KubeObject, type Resource, type WatchEvent } from "./types.ts";

export interface Change<T> {
  type: "added" | "modified" | "deleted";
  object: T;
  /** Reads what it was before, when it was modified. */
  previous?: () => T;
  /** True for what the first list or a relist brought, which nobody has just edited. */
  listed: boolean;
}

export interface ReflectorOptions<T extends KubeObject> extends CacheOptions<T> {
  labelSelector?: string;
  metadataOnly?: boolean;
  /** Drops more than `trimObject` does. */
  trim?: (object: T) => T;
  onChange?: (change: Change<T>) => void;
  /** A watch that ends longer than this after the last list is followed by a list, lest an event that was lost stay so. */
  relistMs?: number;
  /** Told each time a list or watch begins anew; `error` is what broke it, when something did. */
  onRestart?: (reason: RestartReason, error?: unknown) => void;
}

export type RestartReason = "ended" | "gone" | "error" | "stalled" | "unparseable";

/** Bookmarks come every minute; a watch that has been silent for longer is dead. */
const stallMs = 150_000;
/** Small enough that a page does not keep the event loop from others for long. */
const pageSize = 250;
/** How long an event that never came may go unnoticed. */
const relistMs = 30 * 60_000;

/** Where it reads from. */
export type Watched = Pick<KubeClient, "list" | "watch">;

export class Reflector<T extends KubeObject> {
  readonly cache: ObjectCache<T>;
  #resource: Resource;
  readonly #client: Watched;
  readonly #options: ReflectorOptions<T>;
  #resourceVersion: string | undefined;
  #mustList = true;
  #heardAt = performance.now();
  /** When a watch broke last. */
  #lostAt = Number.NEGATIVE_INFINITY;
  /** When the newest list that came to its end had begun. */
  #listedAt = Number.NEGATIVE_INFINITY;
  #relist: AbortController | undefined;
  #whenSynced = Promise.withResolvers<void>();

  constructor(client: Watched, resource: Resource, options: ReflectorOptions<T> = {}) {
    this.#client = client;
    this.#resource = resource;
    this.#options = options;
    this.cache = new ObjectCache(options);
  }

  get resource(): Resource {
    return this.#resource;
  }

  /** Reads the kind in this of its versions from the next list on. */
  useVersion(version: string): void {
    this.#resource = { ...this.#resource, version };
  }

  /** Resolves when the first list is in the cache; after `clear`, when the next one is. */
  get whenSynced(): Promise<void> {
    return this.#whenSynced.promise;
  }

  /** Seconds since the server was last heard. */
  get stalenessSeconds(): number {
    return (performance.now() - this.#heardAt) / 1000;
  }

  /** True from when a watch breaks until the server is heard again: what has happened meanwhile is not known yet. */
  get isBehind(): boolean {
    return this.#lostAt > this.#heardAt;
  }

  /** True when a list that began after this moment of `performance.now()` is in the cache. */
  hasListedSince(moment: number): boolean {
    return this.#listedAt > moment;
  }

  /** True when the watch has come at least as far as this version of the resource. */
  hasReached(resourceVersion: string): boolean {
    return this.#resourceVersion !== undefined && BigInt(this.#resourceVersion) >= BigInt(resourceVersion);
  }

  /** Ends the watch and lists: what should have come has not. */
  relist(): void {
    this.#relist?.abort();
  }

  /** Runs until the signal is aborted; every failure is waited out with a growing, jittered pause. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      let reason: RestartReason = "ended";
      let cause: unknown;
      try {
        if (this.#mustList) await this.#list(signal);
        if (signal.aborted) return;
        const from = performance.now();
        reason = await this.#watch(signal);
        // Silence too: after a restore from a backup, the version that was seen may be one that is still to come.
        if (reason !== "ended" && reason !== "error") this.#mustList = true;
        if (performance.now() - this.#listedAt > (this.#options.relistMs ?? relistMs)) this.#mustList = true;
        // Only a watch that lived proves the server's health; one that ends at once must not storm it.
        failures = performance.now() - from > 5_000 ? 0 : failures + 1;
      } catch (error) {
        if (signal.aborted) return;
        reason = error instanceof ApiError && error.status === 410 ? "gone" : "error";
        if (reason === "gone") this.#mustList = true;
        cause = error;
        failures++;
      }
      if (signal.aborted) return;
      if (reason !== "ended") this.#lostAt = performance.now();
      this.#options.onRestart?.(reason, cause);
      const pause = Math.min(30_000, 100 * 2 ** Math.min(failures, 9)) * (0.5 + Math.random());
      if (failures > 0) await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Empties the cache, telling of each object: the resource itself is gone. */
  clear(): void {
    for (const object of this.cache.list()) this.#remove(object, true);
    if (this.cache.synced) this.#whenSynced = Promise.withResolvers<void>();
    this.cache.synced = false;
    this.#mustList = true;
  }

  /** A list at the newest state (never a cached one, which may be older than what was seen). */
  async #list(signal: AbortSignal): Promise<void> {
    const from = performance.now();
    const options = { signal, ...(this.#options.metadataOnly ? { metadataOnly: true } : {}) };
    const seen = new Set<string>();
    let version: string | undefined;
    const query = { limit: String(pageSize), labelSelector: this.#options.labelSelector };
    const ask = (token: string | undefined) =>
      this.#client.list<T>(this.resource, { ...query, continue: token }, options);
    for await (const page of inPages(ask)) {
      // Whoever stopped us may have emptied the cache since.
      if (signal.aborted) return;
      for (const item of page.items) {
        const object = this.#admit(item);
        seen.add(cacheKey(object.metadata.namespace, object.metadata.name));
        this.#put(object, true);
      }
      version = page.metadata.resourceVersion;
    }
    this.#resourceVersion = version;
    for (const object of this.cache.without(seen)) this.#remove(object, true);
    this.#heardAt = performance.now();
    this.#listedAt = from;
    this.#mustList = false;
    this.cache.synced = true;
    this.#whenSynced.resolve();
  }

  async #watch(signal: AbortSignal): Promise<RestartReason> {
    const stall = new AbortController();
    this.#relist = stall;
    let timer = setTimeout(() => stall.abort(), stallMs);
    const heard = () => {
      this.#heardAt = performance.now();
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), stallMs);
    };
    const query = {
      labelSelector: this.#options.labelSelector,
      resourceVersion: this.#resourceVersion,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(300 + Math.floor(Math.random() * 300)),
    };
    const options = {
      signal: AbortSignal.any([signal, stall.signal]),
      ...(this.#options.metadataOnly ? { metadataOnly: true } : {}),
    };
    try {
      for await (const line of this.#client.watch(this.resource, query, options)) {
        if (signal.aborted) return "ended";
        heard();
        if (line.trim() === "") continue;
        const reason = this.#receive(line);
        if (reason) return reason;
      }
      return "ended";
    } catch (error) {
      if (stall.signal.aborted) return "stalled";
      throw error;
    } finally {
      clearTimeout(timer);
      // Frees the connection when the loop was left before the server ended it.
      stall.abort();
    }
  }

  #receive(line: string): RestartReason | undefined {
    let event: WatchEvent<T>;
    try {
      event = JSON.parse(line) as WatchEvent<T>;
    } catch {
      return "unparseable";
    }
    if (event.type === "ERROR") return event.object.code === 410 ? "gone" : "error";
    const { resourceVersion = "0" } = event.object.metadata;
    // What comes a second time, or late, is known.
    if (this.hasReached(resourceVersion)) return undefined;
    this.#resourceVersion = resourceVersion;
    if (event.type === "BOOKMARK") return undefined;
    const object = this.#admit(event.object);
    if (event.type === "DELETED") this.#remove(object, false);
    else this.#put(object, false);
    return undefined;
  }

  /** List items lack kind and apiVersion. */
  #admit(item: T): T {
    const object = trimObject({ ...item, kind: this.resource.kind, apiVersion: apiVersionOf(this.resource) });
    return this.#options.trim ? this.#options.trim(object) : object;
  }

  #put(object: T, listed: boolean): void {
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const known = this.cache.version(namespace, name);
    const isSame = known?.uid === uid;
    if (isSame && known?.resourceVersion === resourceVersion) return;
    if (known && !isSame) this.#remove(known.read(), listed);
    this.cache.put(object);
    if (known && isSame) this.#options.onChange?.({ type: "modified", object, previous: known.read, listed });
    else this.#options.onChange?.({ type: "added", object, listed });
  }

  #remove(object: T, listed: boolean): void {
    this.cache.remove(object.metadata.namespace, object.metadata.name);
    this.#options.onChange?.({ type: "deleted", object, listed });
  }
}
