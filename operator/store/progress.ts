/** How far readings have come: what pods tell now and then, in memory alone. */
import type { Progress } from "./dataset-api.ts";

/** A reading that has not been heard of for so long has ended, or its pod has. */
const silentMs = 60_000;
const remembered = 10_000;

export class ProgressBoard {
  readonly #now: () => number;
  /** By namespace and dataset, the one that was told longest ago first. */
  readonly #told = new Map<string, { progress: Progress; until: number }>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  put(namespace: string, dataset: string, progress: Progress): void {
    const key = `${namespace}/${dataset}`;
    this.#told.delete(key);
    this.#told.set(key, { progress, until: this.#now() + silentMs });
    for (const [oldest, { until }] of this.#told) {
      if (this.#told.size <= remembered && until > this.#now()) break;
      this.#told.delete(oldest);
    }
  }

  get(namespace: string, dataset: string): Progress | undefined {
    const told = this.#told.get(`${namespace}/${dataset}`);
    return told && told.until > this.#now() ? told.progress : undefined;
  }

  /** The reading has made a version. */
  clear(namespace: string, dataset: string): void {
    this.#told.delete(`${namespace}/${dataset}`);
  }
}
