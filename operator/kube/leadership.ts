/** Leader election as the main thread sees it: a thread of its own keeps the Lease, and a guard stands before each write. */
import { Worker } from "node:worker_threads";
import type { ClientOptions } from "./client.ts";
import type { KubeConfig } from "./config.ts";
import { NotLeaderError } from "./errors.ts";
import { sharedClock, Term } from "./lease-term.ts";
import type { LeaseNews, LeaseOrder, LeaseWorkerData } from "./lease-worker.ts";

interface LeadershipOptions extends Pick<LeaseWorkerData, "namespace" | "name" | "identity"> {
  /** Told of each answer, for the metrics. */
  onRequest?: NonNullable<ClientOptions["onRequest"]>;
  /** Told once, when the Lease could not be kept, with the error of its thread if that failed. The process must end. */
  onLost: (error: Error | undefined) => void;
}

/** Tokens in pods are rotated hourly, long before they run out. */
const headersMs = 60_000;

/** In MB. The heap is 11 MB; a larger young generation would be filled before it is swept. */
const resourceLimits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 2 };

/** Leads once at the most. */
export class Leadership {
  readonly #config: KubeConfig;
  readonly #options: LeadershipOptions;
  readonly #term = new Term(sharedClock);
  #thread: { worker: Worker; ended: Promise<void> } | undefined;
  #released = false;

  constructor(config: KubeConfig, options: LeadershipOptions) {
    this.#config = config;
    this.#options = options;
  }

  isLeader(): boolean {
    return !this.#released && this.#term.isOn();
  }

  /** For a client's `writeGuard`. */
  readonly guard = (): void => {
    if (!this.isLeader()) throw new NotLeaderError();
  };

  /** True when this process leads, which it does until `onLost` or `release`; false when the signal came first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    const { server, ...credentials } = await this.#credentials();
    if (signal.aborted) return false;
    const { namespace, name, identity, onLost, onRequest } = this.#options;
    const workerData: LeaseWorkerData = {
      ...{ namespace, name, identity, server, ...credentials, memory: this.#term.memory },
    };
    const file = new URL("./lease-worker.ts", import.meta.url);
    const worker = new Worker(file, { name: "lease", workerData, resourceLimits });
    const renewing = setInterval(() => void this.#renewHeaders(worker), headersMs);
    const won = Promise.withResolvers<boolean>();
    const ended = Promise.withResolvers<void>();
    this.#thread = { worker, ended: ended.promise };
    let leading = false;
    let failure: Error | undefined;
    worker.on("message", (news: LeaseNews) => {
      if (news !== "leading") return onRequest?.(news);
      leading = true;
      won.resolve(!this.#released);
    });
    worker.on("error", (error: Error) => {
      failure = error;
    });
    worker.on("exit", () => {
      clearInterval(renewing);
      this.#term.end();
      ended.resolve();
      if (this.#released) won.resolve(false);
      else if (leading) onLost(failure);
      else won.reject(failure ?? new Error("the thread that keeps the Lease has ended"));
    });
    signal.addEventListener("abort", () => void (leading || this.release()), { once: true });
    return won.promise;
  }

  /** Lets the next one lead at once. Call it when no write is under way any more. */
  async release(): Promise<void> {
    this.#released = true;
    this.#thread?.worker.postMessage("release" satisfies LeaseOrder);
    await this.#thread?.ended;
  }

  async #renewHeaders(worker: Worker): Promise<void> {
    // A token that can't be read now may be there the next time; the old one is good for a while.
    const credentials = await this.#credentials().catch(() => undefined);
    if (credentials) worker.postMessage({ headers: credentials.headers } satisfies LeaseOrder);
  }

  async #credentials(): Promise<Pick<LeaseWorkerData, "server" | "tls" | "headers">> {
    const options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0] = {};
    await this.#config.applyToHTTPSOptions(options);
    const { ca, cert, key, servername, rejectUnauthorized, headers = {} } = options;
    const server = this.#config.getCurrentCluster()?.server ?? "";
    return { server, tls: { ca, cert, key, servername, rejectUnauthorized }, headers };
  }
}
