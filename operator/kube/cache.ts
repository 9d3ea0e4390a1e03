/** What a watch has seen: one writer (the reflector), many readers, frozen objects. */
import type { KubeObject } from "./types.ts";

export type Indexes<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

export interface Cache<T extends KubeObject> {
  get(namespace: string | undefined, name: string): T | undefined;
  list(): T[];
  /** The objects whose index function gave this value. */
  byIndex(index: string, value: string): T[];
  /** True once the first list has come to its end. */
  readonly synced: boolean;
}

export class ObjectCache<T extends KubeObject> implements Cache<T> {
  synced = false;
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, { of: (object: T) => readonly string[]; keys: Map<string, Set<string>> }>();

  constructor(indexes: Indexes<T> = {}) {
    for (const [name, of] of Object.entries(indexes)) this.#indexes.set(name, { of, keys: new Map() });
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(cacheKey(namespace, name));
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  get size(): number {
    return this.#objects.size;
  }

  byIndex(index: string, value: string): T[] {
    const found = this.#indexes.get(index);
    if (!found) throw new Error(`the cache has no index ${index}`);
    return [...(found.keys.get(value) ?? [])].flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Puts an object in; returns what was there before. */
  put(object: T): T | undefined {
    const key = cacheKey(object.metadata.namespace, object.metadata.name);
    const previous = this.#objects.get(key);
    this.#unindex(key, previous);
    this.#objects.set(key, object);
    for (const { of, keys } of this.#indexes.values()) {
      for (const value of of(object)) {
        const set = keys.get(value) ?? new Set();
        keys.set(value, set.add(key));
      }
    }
    return previous;
  }

  /** Takes an object out; returns what was there. */
  take(namespace: string | undefined, name: string): T | undefined {
    const key = cacheKey(namespace, name);
    const previous = this.#objects.get(key);
    this.#unindex(key, previous);
    this.#objects.delete(key);
    return previous;
  }

  #unindex(key: string, object: T | undefined): void {
    if (!object) return;
    for (const { of, keys } of this.#indexes.values()) {
      for (const value of of(object)) {
        const set = keys.get(value);
        set?.delete(key);
        if (set?.size === 0) keys.delete(value);
      }
    }
  }
}

function cacheKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ""}/${name}`;
}

/** Caches are shared, so what is in them can't be changed. */
export function freezeDeep<T>(value: T): T {
  if (value === null || typeof value !== "object" || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freezeDeep(member);
  return Object.freeze(value);
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** Drops what no controller reads: the larger half of most objects. */
export function trimObject<T extends KubeObject>(object: T): T {
  const metadata = object.metadata as T["metadata"] & { managedFields?: unknown };
  delete metadata.managedFields;
  if (metadata.annotations) delete metadata.annotations[lastApplied];
  return object;
}
