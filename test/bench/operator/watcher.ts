/** When objects come into being, as a watch of its own tells. */
import type { KubeClient } from "../../../operator/kube/client.ts";
import { Reflector } from "../../../operator/kube/reflector.ts";
import type { KubeObject } from "../../../operator/kube/types.ts";
import { resourceOf } from "../../rig/cluster.ts";

export class BirthWatch {
  /** Milliseconds of `performance.now()` by "kind/name", of one namespace. */
  readonly births = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[];
  readonly synced: Promise<unknown>;

  constructor(client: KubeClient, kinds: readonly string[], namespace: string) {
    const reflectors = kinds.map(
      (kind) =>
        new Reflector<KubeObject>(client, resourceOf(kind), {
          metadataOnly: true,
          onChange: ({ type, object: { metadata } }) => {
            if (type === "added" && metadata.namespace === namespace)
              this.births.set(`${kind}/${metadata.name}`, performance.now());
          },
        }),
    );
    this.#running = reflectors.map((reflector) => reflector.run(this.#stop.signal));
    this.synced = Promise.all(reflectors.map(({ whenSynced }) => whenSynced));
  }

  /** Throws when they have not come in time, or `check` does. */
  async until(count: number, timeoutMs: number, check = () => {}): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.births.size < count) {
      check();
      if (performance.now() > deadline)
        throw new Error(`${this.births.size} of ${count} objects after ${timeoutMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Objects a second, from the first to the last. */
  get rate(): number {
    const times = [...this.births.values()];
    return ((times.length - 1) / (Math.max(...times) - Math.min(...times))) * 1000;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}

/** Runs the work for all items, at most `concurrency` at once. */
export async function inParallel<T>(items: readonly T[], concurrency: number, work: (item: T) => Promise<unknown>) {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** The value that this share of the values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
