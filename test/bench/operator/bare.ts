/** Bare writes: the same children by parallel server-side applies, with no controller. node bare.ts KUBECONFIG KIND NAMESPACE COUNT CONCURRENCY [NAMESPACE COUNT, which it writes first] */
import { KubeConfig } from "@kubernetes/client-node";
import { KubeClient } from "../../../operator/kube/client.ts";
import { inParallel } from "./watcher.ts";
import { works } from "./work.ts";

const [, , kubeconfig = "", kind, namespace = "", count, concurrency, first, firstCount] = process.argv;
const work = works.find((candidate) => candidate.kind === kind);
if (!work) throw new Error(`unknown kind ${kind}`);
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const client = new KubeClient(config, { deadlineMs: 60_000 });
const childrenIn = (of: string, count: number) =>
  Array.from({ length: count }, (_, index) => work.childrenOf(work.objectOf(of, index)));
const write = (children: ReturnType<typeof childrenIn>) =>
  inParallel(children, Number(concurrency), async (ofOne) => {
    for (const { resource, object } of ofOne) await client.apply(resource, object);
  });
const children = childrenIn(namespace, Number(count));
if (first) await write(childrenIn(first, Number(firstCount)));
const from = process.cpuUsage();
await write(children);
const { user, system } = process.cpuUsage(from);
process.stdout.write(JSON.stringify({ cpuSeconds: (user + system) / 1e6 }));
await client.close();
