/** Stands between an operator and its API server: ends TLS, logs every write, and does to requests and watches what a fault asks for. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Agent, type Dispatcher, request } from "undici";
import type { ControlPlane } from "../cluster/control-plane.ts";
import { buildKubeconfig, writeKubeconfig } from "../cluster/kubernetes/kubeconfig.ts";

/** One request of the operator. */
export interface Exchange {
  method: string;
  path: string;
  /** get, list, watch, or the method that writes. */
  verb: string;
  plural: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
  body: Buffer;
  /** When it came, by `performance.now()`. */
  sentAt: number;
}

/** A write that was answered. */
export interface Write extends Exchange {
  status: number;
  /** The version that it made, where the answer says so. */
  resourceVersion: string | undefined;
  /** Whoever sent it had gone, or given up, before it was answered. */
  isLate: boolean;
}

/** What becomes of a request: passed on, cut off, or answered by the proxy itself. */
export type Fate = "pass" | "cut" | { status: number; headers?: Record<string, string>; body?: object };

/** What a fault does; all is passed on where it says nothing. */
export interface Fault {
  /** Before a request is passed on. */
  onRequest?: (exchange: Exchange) => Fate | Promise<Fate>;
  /** After a write was answered, before the operator hears of it. */
  onWritten?: (write: Write) => Fate | Promise<Fate>;
  /** The lines that take this one's place on a watch. */
  onLine?: (line: string, exchange: Exchange) => readonly string[] | Promise<readonly string[]>;
  /** The API server that requests go to instead, those for which `of` is true. */
  instead?: { url: string; of: (exchange: Exchange) => boolean };
}

type Plane = Pick<ControlPlane, "url" | "caFile" | "dir" | "token">;

export class FaultProxy {
  fault: Fault = {};
  readonly writes: Write[] = [];
  /** Writes that are still to be answered, whether or not their sender waits. */
  underWay = 0;
  /** Requests but watches, by "verb plural". */
  readonly requests = new Map<string, number>();
  readonly kubeconfig: string;
  readonly #upstream: string;
  readonly #agent: Agent;
  readonly #server: Server;
  readonly #watches = new Set<ServerResponse>();

  private constructor(plane: Plane, name: string, server: Server) {
    this.#upstream = plane.url;
    this.#server = server;
    this.#agent = new Agent({ connect: { ca: readFileSync(plane.caFile) }, allowH2: false, bodyTimeout: 0 });
    const { port } = server.address() as AddressInfo;
    this.kubeconfig = join(plane.dir, `${name}.kubeconfig`);
    const { caFile, token } = plane;
    writeKubeconfig(this.kubeconfig, buildKubeconfig({ server: `https://127.0.0.1:${port}`, caFile, token }));
    server.on("request", (incoming, outgoing) => void this.#serve(incoming, outgoing));
  }

  static async start(plane: Plane, name: string): Promise<FaultProxy> {
    const file = (extension: string) => readFileSync(join(plane.dir, `pki/apiserver.${extension}`));
    const server = createServer({ cert: file("crt"), key: file("key") });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FaultProxy(plane, name, server);
  }

  /** Ends all watches that are open, as a server does when their time is up. */
  endWatches(): void {
    for (const watch of this.#watches) watch.end();
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#agent.destroy();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController();
    outgoing.on("close", () => gone.abort());
    // The operator may be killed while it is written to.
    outgoing.on("error", () => gone.abort());
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const exchange = parse(incoming, Buffer.concat(chunks));
      const key = `${exchange.verb} ${exchange.plural}`;
      this.requests.set(key, (this.requests.get(key) ?? 0) + 1);
      if (isWrite(exchange)) await this.#write(incoming, outgoing, exchange);
      else await this.#read(incoming, outgoing, { exchange, signal: gone.signal });
    } catch {
      // The API server is away, or the operator is: the other end sees a broken connection.
      outgoing.destroy();
    }
  }

  async #read(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    { exchange, signal }: { exchange: Exchange; signal: AbortSignal },
  ): Promise<void> {
    const fate = (await this.fault.onRequest?.(exchange)) ?? "pass";
    if (fate !== "pass") return meet(outgoing, fate);
    // A renewal of the Lease is no write to be told of, but one that arrives.
    const answer = await this.#forward(incoming, exchange, exchange.method === "GET" ? signal : undefined);
    if (exchange.verb === "watch") return this.#relay(answer, outgoing, exchange);
    pass(answer, outgoing, await bodyOf(answer));
  }

  /** What was sent arrives, as in a network, whatever becomes of its sender meanwhile. */
  async #write(incoming: IncomingMessage, outgoing: ServerResponse, exchange: Exchange): Promise<void> {
    this.underWay++;
    try {
      const fate = (await this.fault.onRequest?.(exchange)) ?? "pass";
      if (fate !== "pass") return meet(outgoing, fate);
      const answer = await this.#forward(incoming, exchange);
      const body = await bodyOf(answer);
      const { statusCode: status } = answer;
      const resourceVersion = status < 300 ? versionIn(body) : undefined;
      const write = { ...exchange, status, resourceVersion, isLate: outgoing.destroyed };
      this.writes.push(write);
      const answered = (await this.fault.onWritten?.(write)) ?? "pass";
      if (answered === "pass") pass(answer, outgoing, body);
      else meet(outgoing, answered);
    } finally {
      this.underWay--;
    }
  }

  #forward(incoming: IncomingMessage, exchange: Exchange, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { instead } = this.fault;
    const server = instead?.of(exchange) ? instead.url : this.#upstream;
    const { host: _, connection: __, "content-length": ___, ...headers } = incoming.headers;
    return request(`${server}${exchange.path}`, {
      method: exchange.method as Dispatcher.HttpMethod,
      headers,
      body: exchange.body.length > 0 ? exchange.body : null,
      ...(signal ? { signal } : {}),
      dispatcher: this.#agent,
    });
  }

  async #relay(answer: Dispatcher.ResponseData, outgoing: ServerResponse, exchange: Exchange): Promise<void> {
    outgoing.writeHead(answer.statusCode, { "content-type": "application/json" });
    outgoing.flushHeaders();
    this.#watches.add(outgoing);
    let rest = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of answer.body) {
        rest += decoder.decode(chunk as Uint8Array, { stream: true });
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const given = (await this.fault.onLine?.(line, exchange)) ?? [line];
          // A fault may have ended the watch while this line was thought about.
          if (outgoing.writableEnded || outgoing.destroyed) return;
          for (const it of given) outgoing.write(`${it}\n`);
        }
      }
      if (!outgoing.writableEnded) outgoing.end(rest);
    } finally {
      this.#watches.delete(outgoing);
    }
  }
}

/** Of what another process may write at the same time, the Lease is no part. */
export function isWrite({ verb, plural }: Exchange): boolean {
  return !["get", "list", "watch"].includes(verb) && plural !== "leases";
}

const bodyOf = async ({ body }: Dispatcher.ResponseData) => Buffer.from(await body.arrayBuffer());

function pass({ statusCode, headers: all }: Dispatcher.ResponseData, outgoing: ServerResponse, body: Buffer): void {
  const { "transfer-encoding": _, connection: __, ...headers } = all;
  if (!outgoing.destroyed) outgoing.writeHead(statusCode, headers as Record<string, string>).end(body);
}

function meet(outgoing: ServerResponse, fate: Exclude<Fate, "pass">): void {
  if (fate === "cut" || outgoing.destroyed) return void outgoing.destroy();
  const { status, headers = {}, body = {} } = fate;
  outgoing.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** `/apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL[/NAME[/SUBRESOURCE]]` */
function parse({ method = "GET", url = "" }: IncomingMessage, body: Buffer): Exchange {
  const { pathname, searchParams } = new URL(url, "http://any");
  const parts = pathname.split("/").slice(pathname.startsWith("/api/") ? 3 : 4);
  const namespace = parts[0] === "namespaces" && parts.length > 2 ? parts[1] : undefined;
  const [plural = "", name, subresource] = namespace === undefined ? parts : parts.slice(2);
  const read = searchParams.has("watch") ? "watch" : name === undefined ? "list" : "get";
  const verb = method === "GET" ? read : method.toLowerCase();
  const called = method === "POST" ? nameIn(body) : name;
  return { method, path: url, verb, plural, namespace, name: called, subresource, body, sentAt: performance.now() };
}

/** What is made is named by what is sent alone. */
function nameIn(body: Buffer): string | undefined {
  return JSON.parse(body.toString()).metadata?.name;
}

function versionIn(body: Buffer): string | undefined {
  return JSON.parse(body.toString()).metadata?.resourceVersion;
}
