/** A web server whose answers a test writes. */
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificate } from "./certificate.ts";

export interface WebServer {
  url: string;
  answer: RequestListener;
  /** Requests so far: method and path, then the Authorization header where there was one. */
  requests: string[];
  stop(): void;
}

export async function startWeb(certificate?: Certificate): Promise<WebServer> {
  const listener: RequestListener = (request, response) => {
    web.requests.push([request.method, request.url, request.headers.authorization].filter(Boolean).join(" "));
    web.answer(request, response);
  };
  const server = certificate
    ? createTlsServer({ cert: certificate.cert, key: certificate.key }, listener)
    : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const web: WebServer = {
    url: `${certificate ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: (_, response) => response.writeHead(404).end(),
    requests: [],
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
  return web;
}
