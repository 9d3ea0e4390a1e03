import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { asTaskError, type TaskError } from "../failure.ts";
import type { Guard } from "./guard.ts";

export interface GuardProxy {
  url: string;
  /** Why it did not make a connection, the last time that it did not. */
  refusal(): TaskError | undefined;
  close(): Promise<void>;
}

/** An HTTP proxy on loopback through which a program that is not ours reaches one host, and no other, past the guard. */
export async function startGuardProxy(guard: Guard, to: { host: string; port: number }): Promise<GuardProxy> {
  let refusal: TaskError | undefined;
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on("connect", async (request, client) => {
    client.on("error", () => client.destroy());
    if (request.url?.toLowerCase() !== `${to.host}:${to.port}`.toLowerCase()) {
      client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    try {
      const upstream = await guard.connect(to);
      upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
      client.on("close", () => upstream.destroy());
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    } catch (error) {
      const failure = asTaskError(error);
      if (failure.reason === "SourceForbidden") refusal = failure;
      client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refusal: () => refusal,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
