/**
 * A server in a process of its own, to be pinned to a core: `server.ts features STORE_URL FOLDER PORT` is the agent's
 * feature server; `server.ts bare PORT FILE` answers every request with the file's bytes.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { pino } from "pino";
import { runAgent } from "../../../operator/agent/run.ts";
import { StoreClient } from "../../../operator/store/client.ts";
import { podPaths } from "../../rig/pod.ts";
import { dataset, namespace, token } from "./data.ts";

const [what, ...args] = process.argv.slice(2);
if (what === "features") {
  const [url = "", folder = "", port] = args;
  process.exitCode = await runAgent({
    task: { verb: "features", namespace, dataset, keys: ["customer"], port: Number(port) },
    store: new StoreClient({ url, token }),
    logger: pino(),
    paths: await podPaths(join(folder, "features")),
  });
} else {
  const [port, file = ""] = args;
  const body = readFileSync(file);
  const headers = { "content-type": "application/json", "content-length": body.length };
  createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(200, headers).end(body));
  }).listen(Number(port), "127.0.0.1");
}
