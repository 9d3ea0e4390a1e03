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

/** Tells one state of an object from another. */
export interface Version {
  uid: string | undefined;
  resourceVersion: string | undefined;
}

interface Entry<T> extends Version {
  /** The object, or its JSON: a third of the memory, for the price of a parse with each read. */
  kept: T | string;
  /** What each index gave. */
  values: readonly (readonly string[])[];
}

export interface CacheOptions<T> {
  indexes?: Indexes<T>;
  /** For kinds of which there are many and each is seldom read: keep them as text. */
  packed?: boolean;
}

export class ObjectCache<T extends KubeObject> implements Cache<T> {
  synced = false;
  readonly #packed: boolean;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #indexes: readonly { name: string; of: (object: T) => readonly string[]; keys: Map<string, Set<string>> }[];

  constructor({ indexes = {}, packed = false }: CacheOptions<T> = {}) {
    this.#packed = packed;
    this.#indexes = Object.entries(indexes).map(([name, of]) => ({ name, of, keys: new Map() }));
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#read(cacheKey(namespace, name));
  }

  /** The state of an object that is kept; without reading it. */
  version(namespace: string | undefined, name: string): Version | undefined {
    return this.#entries.get(cacheKey(namespace, name));
  }

  list(): T[] {
    return [...this.#entries.values()].map(unpack);
  }

  /** The objects whose key is not among these. */
  without(keys: ReadonlySet<string>): T[] {
    return [...this.#entries].flatMap(([key, entry]) => (keys.has(key) ? [] : [unpack(entry)]));
  }

  get size(): number {
    return this.#entries.size;
  }

  byIndex(index: string, value: string): T[] {
    const found = this.#indexes.find(({ name }) => name === index);
    if (!found) throw new Error(`the cache has no index ${index}`);
    return [...(found.keys.get(value) ?? [])].flatMap((key) => this.#read(key) ?? []);
  }

  /** Puts an object in, in place of what was there. */
  put(object: T): void {
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const key = cacheKey(namespace, name);
    this.#drop(key);
    const kept = this.#packed ? JSON.stringify(object) : freezeDeep(object);
    const values = this.#indexes.map(({ of }) => of(object));
    this.#entries.set(key, { uid, resourceVersion, kept, values });
    for (const [number, { keys }] of this.#indexes.entries()) {
      for (const value of values[number] ?? []) keys.set(value, (keys.get(value) ?? new Set()).add(key));
    }
  }

  /** Takes an object out. */
  remove(namespace: string | undefined, name: string): void {
    this.#drop(cacheKey(namespace, name));
  }

  #read(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry && unpack(entry);
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    for (const [number, { keys }] of this.#indexes.entries()) {
      for (const value of entry.values[number] ?? []) {
        const set = keys.get(value);
        set?.delete(key);
        if (set?.size === 0) keys.delete(value);
      }
    }
  }
}

function unpack<T>({ kept }: Entry<T>): T {
  return typeof kept === "string" ? freezeDeep(JSON.parse(kept) as T) : kept;
}

/** `namespace/name` */
export function cacheKey(namespace: string | undefined, name: string): string {
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
