/** From an object's creation to its first child, as a watch sees it. */
import type { Rig } from "../../rig/cluster.ts";
import { resourceOf } from "../../rig/cluster.ts";
import { BirthWatch, inParallel, quantile } from "./watcher.ts";
import type { Work } from "./work.ts";

export interface Latency {
  p50: number;
  p99: number;
}

/** One object after the other with a pause, or all at once. */
export async function measureLatency(
  rig: Rig,
  work: Work,
  { namespace, count, burst }: { namespace: string; count: number; burst: boolean },
): Promise<Latency> {
  await rig.makeNamespace(namespace);
  const [childKind = ""] = work.childKinds;
  const watch = new BirthWatch(rig.client, [childKind], namespace);
  await watch.synced;
  const sent = new Map<string, number>();
  const create = async (index: number) => {
    const object = work.objectOf(namespace, index);
    sent.set(object.metadata.name, performance.now());
    await rig.client.apply(resourceOf(work.kind), object, { manager: "kubectl" });
    if (!burst) await new Promise((resolve) => setTimeout(resolve, 100));
  };
  await inParallel(
    Array.from({ length: count }, (_, index) => index),
    burst ? 32 : 1,
    create,
  );
  await watch.until(count, 10 * 60_000);
  await watch.stop();
  const waits = [...watch.births].map(([name, at]) => at - (sent.get(ownerOf(name)) ?? Number.NaN));
  return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99) };
}

/** A first child is named after its object and the digest of what it runs. */
function ownerOf(child: string): string {
  return child.slice(child.indexOf("/") + 1, child.lastIndexOf("-"));
}
