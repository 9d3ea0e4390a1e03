/** What the API server made of our writes: it need not be what they said, where a policy rewrites a field or a definition lacks one. */
import { hash } from "node:crypto";
import type { ObjectMeta } from "../kube/types.ts";

/** So many objects are remembered, those that were looked at last; one that is forgotten costs a write. */
const remembered = 10_000;

export class Answers {
  /** By uid what was asked for last, and the version that this made; the longest ago first. */
  readonly #made = new Map<string, { wish: string; resourceVersion: string }>();

  /** Remembers which version a wish has made of an object. */
  keep({ uid = "", resourceVersion = "" }: ObjectMeta, wish: object): void {
    this.#put(uid, { wish: digestOf(wish), resourceVersion });
    for (const oldest of this.#made.keys()) {
      if (this.#made.size <= remembered) break;
      this.#made.delete(oldest);
    }
  }

  /** True when this very wish has made this very version: to ask again would change nothing. */
  has({ uid = "", resourceVersion }: ObjectMeta, wish: object): boolean {
    const made = this.#made.get(uid);
    if (!made || made.resourceVersion !== resourceVersion || made.wish !== digestOf(wish)) return false;
    this.#put(uid, made);
    return true;
  }

  #put(uid: string, made: { wish: string; resourceVersion: string }): void {
    this.#made.delete(uid);
    this.#made.set(uid, made);
  }
}

function digestOf(wish: object): string {
  return hash("sha256", JSON.stringify(wish)).slice(0, 16);
}
