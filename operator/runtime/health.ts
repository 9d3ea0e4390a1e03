import { createServer, type Server } from "node:http";
import type { Registry } from "prom-client";

interface HealthInput {
  port: number;
  registry: Registry;
  /** Why the process is not ready yet; undefined when it is. */
  notReady: () => string | undefined;
}

/** Serves /healthz, /readyz and /metrics. */
export async function startHealthServer({ port, registry, notReady }: HealthInput): Promise<Server> {
  const server = createServer(async (request, response) => {
    const path = request.url?.split("?")[0];
    if (path === "/healthz") return void response.end("ok\n");
    if (path === "/readyz") {
      const reason = notReady();
      response.statusCode = reason ? 503 : 200;
      return void response.end(`${reason ?? "ok"}\n`);
    }
    if (path === "/metrics") {
      response.setHeader("content-type", registry.contentType);
      return void response.end(await registry.metrics());
    }
    response.statusCode = 404;
    return void response.end("not found: there are /healthz, /readyz and /metrics\n");
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, resolve));
  return server;
}
