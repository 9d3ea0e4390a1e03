/** Kept connections to the API server, with credentials as they are now. */
import { createSecureContext } from "node:tls";
import { type Dispatcher, Pool } from "undici";
import type { KubeConfig } from "./config.ts";
import { type Answer, exchange, type Terms } from "./exchange.ts";

/** Token files are read again after this long; in pods they are rotated hourly. A client certificate is read once. */
const credentialsMs = 60_000;

/** `path` is the API's; a server behind a path of its own is known by its URL. */
export interface RequestInput {
  method: Dispatcher.HttpMethod;
  path: string;
  headers: Record<string, string>;
  body: string | null;
}

export class Connection {
  readonly #config: KubeConfig;
  readonly #server: URL;
  #pool: Pool | undefined;
  #headers: { value: Record<string, string>; at: number } | undefined;

  constructor(config: KubeConfig) {
    const server = config.getCurrentCluster()?.server;
    if (!server) throw new Error("the kubeconfig names no cluster: set its current-context");
    this.#config = config;
    this.#server = new URL(server);
  }

  /** A request and its whole answer. */
  async exchange(input: RequestInput, { deadlineMs, ...terms }: Terms): Promise<Answer> {
    const from = performance.now();
    const { pool, request } = await this.#prepare(input);
    return exchange(pool, request, { ...terms, deadlineMs: deadlineMs - (performance.now() - from) });
  }

  /** An answer whose body is read as it comes, for as long as it comes. */
  async stream(input: RequestInput, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { pool, request } = await this.#prepare(input);
    return pool.request({ ...request, signal, bodyTimeout: 0 });
  }

  async close(): Promise<void> {
    await this.#pool?.destroy();
  }

  async #prepare(input: RequestInput): Promise<{ pool: Pool; request: RequestInput }> {
    const credentials = await this.#credentials();
    const path = `${this.#server.pathname.replace(/\/$/, "")}${input.path}`;
    const request = { ...input, path, headers: { ...credentials, ...input.headers } };
    // The credentials come with the pool.
    return { pool: this.#pool as Pool, request };
  }

  async #credentials(): Promise<Record<string, string>> {
    if (this.#headers && performance.now() - this.#headers.at < credentialsMs) return this.#headers.value;
    const options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0] = {};
    await this.#config.applyToHTTPSOptions(options);
    const { ca, cert, key, servername, rejectUnauthorized, headers = {} } = options;
    this.#pool ??= new Pool(this.#server.origin, {
      // Watches hold one each; the rest is for the writes of many workers at once.
      connections: 64,
      pipelining: 1,
      // For many small requests at once it costs both ends a fifth more than HTTP/1.1.
      allowH2: false,
      keepAliveTimeout: 60_000,
      connect: {
        timeout: 5_000,
        // One for all: each connection would parse the certificates again, and keep them.
        secureContext: createSecureContext({ ca, cert, key }),
        ...(servername ? { servername } : {}),
        ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      },
    });
    this.#headers = { value: headers, at: performance.now() };
    return headers;
  }
}
