/** Bare writes: the same children by parallel server-side applies, with no controller. node bare.ts KUBECONFIG KIND NAMESPACE COUNT CONCURRENCY */
import { KubeConfig } from "@kubernetes/client-node";
import { KubeClient } from "../../../operator/kube/client.ts";
import { inParallel } from "./watcher.ts";
import { works } from "./work.ts";

const [, , kubeconfig = "", kind, namespace = "", count, concurrency] = process.argv;
const work = works.find((candidate) => candidate.kind === kind);
if (!work) throw new Error(`unknown kind ${kind}`);
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const client = new KubeClient(config, { deadlineMs: 60_000 });
const children = Array.from({ length: Number(count) }, (_, index) => work.childrenOf(work.objectOf(namespace, index)));
const from = process.cpuUsage();
await inParallel(children, Number(concurrency), async (ofOne) => {
  for (const { resource, object } of ofOne) await client.apply(resource, object);
});
const { user, system } = process.cpuUsage(from);
process.stdout.write(JSON.stringify({ cpuSeconds: (user + system) / 1e6 }));
await client.close();
