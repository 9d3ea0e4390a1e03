/** Which keys an index function gave a value for. */
export class CacheIndex {
  /** Most values have one key, and a Set takes ten times the memory of a string. */
  readonly #keys = new Map<string, string | Set<string>>();

  add(value: string, key: string): void {
    const known = this.#keys.get(value);
    if (known === undefined) this.#keys.set(value, key);
    else if (typeof known !== "string") known.add(key);
    else if (known !== key) this.#keys.set(value, new Set([known, key]));
  }

  remove(value: string, key: string): void {
    const known = this.#keys.get(value);
    if (known === key) this.#keys.delete(value);
    if (typeof known !== "object") return;
    known.delete(key);
    if (known.size === 0) this.#keys.delete(value);
  }

  keys(value: string): readonly string[] {
    const known = this.#keys.get(value);
    if (known === undefined) return [];
    return typeof known === "string" ? [known] : [...known];
  }
}
