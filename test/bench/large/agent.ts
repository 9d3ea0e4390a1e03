/** One snapshot as its pod makes it: node agent.ts STORE FOLDER NAME. Prints seconds, rows and memory as JSON. */
import { pino } from "pino";
import { runAgent } from "../../../operator/agent/run.ts";
import { StoreClient } from "../../../operator/store/client.ts";
import { namespace, snapshotTask } from "../../integration/agent/world.ts";
import { podPaths } from "../../rig/pod.ts";
import { snapshots } from "../profile/snapshots.ts";

const [, , url = "", folder = "", name = ""] = process.argv;
const store = new StoreClient({ url, token: async () => `${namespace}:default` });
const started = performance.now();
const task = snapshotTask("data.csv", snapshots[name]);
const paths = await podPaths(folder);
const code = await runAgent({
  task,
  store,
  logger: pino({ level: "warn" }, process.stderr),
  paths,
  allowLoopback: true,
});
if (code !== 0) throw new Error("the snapshot failed; the log above says why");
const seconds = (performance.now() - started) / 1000;
const { rows } = await store.getDatasetVersion(namespace, task.dataset, "1");
await store.close();
console.log(JSON.stringify({ seconds, rows, megabytes: process.resourceUsage().maxRSS / 1024 }));
