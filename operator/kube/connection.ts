/** Kept connections to the API server, with credentials as they are now. */
import { type Dispatcher, Pool } from "undici";
import type { KubeConfig } from "./config.ts";

/** Token files are read again after this long; in pods they are rotated hourly. A client certificate is read once. */
const credentialsMs = 60_000;

interface RequestInput {
  method: Dispatcher.HttpMethod;
  path: string;
  headers: Record<string, string>;
  body: string | null;
  signal: AbortSignal;
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

  /** `path` is the API's; a server behind a path of its own is known by its URL. */
  async request({ path, headers, ...input }: RequestInput): Promise<Dispatcher.ResponseData> {
    const credentials = await this.#credentials();
    // The credentials come with the pool.
    return (this.#pool as Pool).request({
      ...input,
      path: `${this.#server.pathname.replace(/\/$/, "")}${path}`,
      headers: { ...credentials, ...headers },
      bodyTimeout: 0,
    });
  }

  async close(): Promise<void> {
    await this.#pool?.destroy();
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
        ...(ca ? { ca } : {}),
        ...(cert ? { cert } : {}),
        ...(key ? { key } : {}),
        ...(servername ? { servername } : {}),
        ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      },
    });
    this.#headers = { value: headers, at: performance.now() };
    return headers;
  }
}
