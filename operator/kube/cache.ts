/** What a watch has seen: one writer (the reflector), many readers, frozen objects. */
import { CacheIndex } from "./cache-index.ts";
import { Packing } from "./packing.ts";
import type { KubeObject } from "./types.ts";

export type Indexes<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

export interface Cache<T extends KubeObject> {
  get(namespace: string | undefined, name: string): T | undefined;
  list(): T[];
  /** `namespace/name` of every object. */
  keys(): string[];
  /** The objects whose index function gave this value. */
  byIndex(index: string, value: string): T[];
  /** Their keys alone, which costs no reading. */
  keysByIndex(index: string, value: string): readonly string[];
  /** True once the first list has come to its end. */
  readonly synced: boolean;
}

/** One state of an object. */
interface Version<T> {
  uid: string | undefined;
  resourceVersion: string | undefined;
  read: () => T;
}

/** An object as it is kept: packed. A tenth of the memory, for the price of a parse when it is read. */
interface Kept {
  uid: string | undefined;
  resourceVersion: string | undefined;
  packed: string;
  /** What each index gave. */
  values: readonly (readonly string[])[];
}

export interface CacheOptions<T> {
  indexes?: Indexes<T>;
}

/** This many objects that were read last are kept beside their text: a reconcile reads the same one several times. */
const lately = 64;

export class ObjectCache<T extends KubeObject> implements Cache<T> {
  synced = false;
  readonly #kept = new Map<string, Kept>();
  readonly #packing = new Packing();
  readonly #indexes: readonly { name: string; of: (object: T) => readonly string[]; index: CacheIndex }[];
  /** What was read, the longest ago first. */
  readonly #read = new Map<string, T>();

  constructor({ indexes = {} }: CacheOptions<T> = {}) {
    this.#indexes = Object.entries(indexes).map(([name, of]) => ({ name, of, index: new CacheIndex() }));
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#get(cacheKey(namespace, name));
  }

  /** Which object, and which state of it, is kept; it stays readable when another takes its place. */
  version(namespace: string | undefined, name: string): Version<T> | undefined {
    const kept = this.#kept.get(cacheKey(namespace, name));
    return kept && { uid: kept.uid, resourceVersion: kept.resourceVersion, read: () => this.#parse(kept) };
  }

  list(): T[] {
    return this.keys().flatMap((key) => this.#get(key) ?? []);
  }

  keys(): string[] {
    return [...this.#kept.keys()];
  }

  /** The objects whose key is not among these. */
  without(keys: ReadonlySet<string>): T[] {
    return this.keys().flatMap((key) => (keys.has(key) ? [] : (this.#get(key) ?? [])));
  }

  get size(): number {
    return this.#kept.size;
  }

  byIndex(index: string, value: string): T[] {
    return this.keysByIndex(index, value).flatMap((key) => this.#get(key) ?? []);
  }

  keysByIndex(index: string, value: string): readonly string[] {
    const found = this.#indexes.find(({ name }) => name === index);
    if (!found) throw new Error(`the cache has no index ${index}`);
    return found.index.keys(value);
  }

  /** Puts an object in, in place of what was there. */
  put(object: T): void {
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const key = cacheKey(namespace, name);
    this.#drop(key);
    const values = this.#indexes.map(({ of }) => of(object));
    this.#kept.set(key, { uid, resourceVersion, packed: this.#packing.pack(object), values });
    for (const [number, { index }] of this.#indexes.entries())
      for (const value of values[number] ?? []) index.add(value, key);
  }

  /** Takes an object out. */
  remove(namespace: string | undefined, name: string): void {
    this.#drop(cacheKey(namespace, name));
  }

  #get(key: string): T | undefined {
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    const object = this.#read.get(key) ?? this.#parse(kept);
    this.#read.delete(key);
    this.#read.set(key, object);
    for (const oldest of this.#read.keys()) {
      if (this.#read.size <= lately) break;
      this.#read.delete(oldest);
    }
    return object;
  }

  #parse({ packed }: Kept): T {
    return freezeDeep(this.#packing.unpack(packed) as T);
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (!kept) return;
    this.#kept.delete(key);
    this.#read.delete(key);
    for (const [number, { index }] of this.#indexes.entries())
      for (const value of kept.values[number] ?? []) index.remove(value, key);
  }
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
