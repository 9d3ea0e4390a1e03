/** Keys that wait, first come first served within a namespace, and the namespaces by turns: a busy one can't hold up the others. */
export class FairLane {
  /** By namespace, the one whose turn is next first: since when each key waits. */
  readonly #namespaces = new Map<string, Map<string, number>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    return this.#namespaces.get(namespaceOf(key))?.has(key) ?? false;
  }

  add(key: string, since: number): void {
    const namespace = namespaceOf(key);
    const keys = this.#namespaces.get(namespace) ?? new Map<string, number>();
    this.#namespaces.set(namespace, keys);
    if (!keys.has(key)) this.#size++;
    keys.set(key, since);
  }

  /** Takes the key out; returns since when it waited. */
  remove(key: string): number | undefined {
    const namespace = namespaceOf(key);
    const keys = this.#namespaces.get(namespace);
    const since = keys?.get(key);
    if (!keys?.delete(key)) return undefined;
    this.#size--;
    if (keys.size === 0) this.#namespaces.delete(namespace);
    return since;
  }

  take(): { key: string; since: number } | undefined {
    for (const [namespace, keys] of this.#namespaces) {
      for (const [key, since] of keys) {
        this.remove(key);
        if (keys.size > 0) {
          this.#namespaces.delete(namespace);
          this.#namespaces.set(namespace, keys);
        }
        return { key, since };
      }
    }
    return undefined;
  }
}

function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}
