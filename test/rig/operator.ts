/** The operator as a process of its own, so that it can be killed, stopped and measured. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import { tail } from "../cluster/command.ts";
import type { Kubeconfig } from "../cluster/kubernetes/kubeconfig.ts";
import { Child, freePorts } from "../cluster/os/child.ts";
import { isHealthy } from "../cluster/os/http.ts";
import { operatorEnvironment } from "./pod-environment.ts";
import { cpuSecondsOf, residentBytesOf } from "./process.ts";

const root = join(import.meta.dirname, "../..");

/** What was compiled is kept. */
const environment = { ...operatorEnvironment, NODE_COMPILE_CACHE: join(tmpdir(), "lemnis-compile-cache") };

export interface OperatorProcessOptions {
  kubeconfig: string;
  storeUrl: string;
  /** For its log and its store token. */
  dir: string;
  tokenFile: string;
  name?: string;
  drainSeconds?: number;
  env?: Record<string, string>;
  /** For Node itself. */
  nodeArgs?: readonly string[];
  /** False: it is returned at once, before its caches are filled. Default true. */
  waitUntilReady?: boolean;
}

export class OperatorProcess {
  readonly name: string;
  readonly logFile: string;
  readonly #child: Child;
  readonly #url: string;

  /** Where the log of this process begins: those of its name before it wrote to the same file. */
  readonly #logFrom: number;

  private constructor(child: Child, url: string, { logFile, logFrom }: { logFile: string; logFrom: number }) {
    this.name = child.name;
    this.#child = child;
    this.#url = url;
    this.logFile = logFile;
    this.#logFrom = logFrom;
  }

  static async start(options: OperatorProcessOptions): Promise<OperatorProcess> {
    const { dir, name = "lemnis-0", waitUntilReady = true } = options;
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    const logFile = join(dir, "logs", `${name}.log`);
    const logFrom = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
    const args = [...(options.nodeArgs ?? []), join(root, "operator/main.ts"), "operator"];
    const child = await Child.start({
      ...{ name, logFile, command: process.execPath, args },
      env: {
        ...environment,
        ...asInPod(options, name),
        ...{ POD_NAMESPACE: "kube-system", POD_NAME: name },
        ...{ LEMNIS_STORE_URL: options.storeUrl, LEMNIS_STORE_TOKEN_FILE: options.tokenFile },
        ...{ LEMNIS_AGENT_IMAGE: "lemnis:1", LEMNIS_METRICS_PORT: String(port) },
        // Several share this machine.
        LEMNIS_WEBHOOK_PORT: "0",
        LEMNIS_DRAIN_SECONDS: String(options.drainSeconds ?? 1),
        ...options.env,
      },
      isReady: async () => !waitUntilReady || isHealthy(`${url}/readyz`),
    });
    return new OperatorProcess(child, url, { logFile, logFrom });
  }

  get pid(): number {
    return this.#child.pid;
  }

  get hasExited(): boolean {
    return this.#child.hasExited;
  }

  /** It ended without being stopped, and for no reason that it should: a lost lease is one. */
  get hasCrashed(): boolean {
    const ownLog = readFileSync(this.logFile).subarray(this.#logFrom).toString();
    return this.#child.endedByItself && !tail(ownLog, 5).includes("the lease is lost");
  }

  isReady(): Promise<boolean> {
    return isHealthy(`${this.#url}/readyz`);
  }

  async metrics(): Promise<Metrics> {
    return new Metrics(await (await fetch(`${this.#url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text());
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    return this.#child.stop(signal);
  }

  log(): string {
    return readFileSync(this.logFile, "utf8");
  }

  /** Resident memory, in bytes. */
  residentBytes(): number {
    return residentBytesOf(this.pid);
  }

  /** CPU time that it has used, in seconds. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.pid);
  }
}

/** What a pod has instead of a kubeconfig. */
function asInPod({ kubeconfig, dir }: OperatorProcessOptions, name: string): Record<string, string> {
  const { clusters, users } = load(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  const folder = join(dir, `${name}-service-account`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "ca.crt"), Buffer.from(cluster?.["certificate-authority-data"] ?? "", "base64"));
  writeFileSync(join(folder, "token"), user?.token ?? "");
  const { hostname, port } = new URL(cluster?.server ?? "");
  return {
    ...{ KUBECONFIG: "", KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
    LEMNIS_SERVICE_ACCOUNT_DIR: folder,
  };
}

/** A scrape. */
export class Metrics {
  readonly #lines: readonly { name: string; labels: string; value: number }[];

  constructor(text: string) {
    this.#lines = text.split("\n").flatMap((line) => {
      const [, name = "", labels = "", value = ""] = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
      return name ? [{ name, labels, value: Number(value) }] : [];
    });
  }

  /** The sum of a metric's series whose labels match. */
  sum(name: string, labels: RegExp = /./s): number {
    return this.#lines
      .filter((line) => line.name === name && (labels.test(line.labels) || line.labels === ""))
      .reduce((sum, { value }) => sum + value, 0);
  }

  /** Requests to the API server by "verb resource", the Lease's aside. */
  requests(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { name, labels, value } of this.#lines) {
      if (name !== "lemnis_api_requests_total" || labels.includes('resource="leases"')) continue;
      const [verb, resource] = ["verb", "resource"].map((label) => new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1]);
      const key = `${verb} ${resource}`;
      counts.set(key, (counts.get(key) ?? 0) + value);
    }
    return counts;
  }

  /** Requests that wrote, the Lease's aside. */
  get writes(): number {
    let sum = 0;
    for (const [key, value] of this.requests()) if (!/^(get|list|watch) /.test(key)) sum += value;
    return sum;
  }
}
