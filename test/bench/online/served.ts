/** A process that serves a generated Dataset's features from the real store, or one answer with a bare HTTP server: node served.ts PORT KEYS|bare. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { FeaturesTask } from "../../../operator/agent/tasks.ts";
import { makeInput } from "../../integration/agent/derived.ts";
import { namespace, startWorld } from "../../integration/agent/world.ts";

const features = 10;
const [, , port = "", what = ""] = process.argv;

async function serveBare(): Promise<void> {
  const answer = JSON.stringify({ rows: [Object.fromEntries(names().map((name) => [name, 0.5]))] });
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(answer));
  });
  server.listen(Number(port), "127.0.0.1");
  await once(process, "SIGTERM");
  process.exit(0);
}

async function serveFeatures(keys: number): Promise<void> {
  const world = await startWorld();
  const stop = new AbortController();
  process.once("SIGTERM", () => stop.abort());
  const lines = [`customer,${names().join(",")}`];
  for (let key = 0; key < keys; key++) {
    lines.push(`${key},${names().map((_, index) => ((key * (index + 7)) % 9973) / 9973)}`);
  }
  const columns = names().map((name) => ({ name, type: "Double" as const }));
  await makeInput(world, "customers", `${lines.join("\n")}\n`, [
    { name: "customer", type: "Int64", role: "Key" },
    ...columns,
  ]);
  const task: FeaturesTask = {
    ...{ verb: "features", namespace, dataset: "customers", keys: ["customer"] },
    port: Number(port),
  };
  const { code, message } = await world.run(task, { timing: { drain: 0 }, signal: stop.signal });
  await world.close();
  if (code !== 0) throw new Error(JSON.stringify(message));
}

function names(): string[] {
  return Array.from({ length: features }, (_, index) => `feature_${index}`);
}

await (what === "bare" ? serveBare() : serveFeatures(Number(what)));
