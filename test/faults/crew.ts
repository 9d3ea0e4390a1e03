/** The operator's replicas, each behind a proxy of its own and started again when it ends, as a Deployment would. */
import { setTimeout as sleep } from "node:timers/promises";
import { tail } from "../cluster/command.ts";
import { type Rig, resourceOf } from "../rig/cluster.ts";
import type { OperatorProcess } from "../rig/operator.ts";
import type { Seen } from "./history.ts";
import { FaultProxy } from "./proxy.ts";
import { insist, patienceMs } from "./user.ts";

const superviseMs = 50;

export class Crew {
  readonly proxies: readonly FaultProxy[];
  readonly #rig: Rig;
  #env: Record<string, string>;
  readonly #operators: (OperatorProcess | undefined)[] = [];
  readonly #watched: NodeJS.Timeout;
  /** How often one was started again. */
  restarts = 0;
  /** How the log ended of those that ended by themselves. */
  readonly crashes: string[] = [];
  #stopped = false;

  private constructor(rig: Rig, proxies: readonly FaultProxy[], env: Record<string, string>) {
    [this.#rig, this.proxies, this.#env] = [rig, proxies, env];
    this.#watched = setInterval(() => this.#supervise(), superviseMs).unref();
  }

  static async start(rig: Rig, replicas = 1, env: Record<string, string> = {}): Promise<Crew> {
    const names = Array.from({ length: replicas }, (_, index) => nameOf(index));
    const proxies = await Promise.all(names.map((name) => FaultProxy.start(rig.plane, `${name}-proxy`)));
    const crew = new Crew(rig, proxies, env);
    for (const index of proxies.keys()) await crew.#start(index, true);
    return crew;
  }

  operator(index = 0): OperatorProcess | undefined {
    return this.#operators[index];
  }

  /** Ends a replica as a crash would; it is started again. */
  kill(index = 0): Promise<void> {
    return this.#operators[index]?.stop("SIGKILL") ?? Promise.resolve();
  }

  /** Another release takes over: every process ends, and starts with other settings. */
  async release(env: Record<string, string>): Promise<void> {
    this.#env = { ...this.#env, ...env };
    for (const index of this.#operators.keys()) await this.kill(index);
  }

  /** The replica that holds the Lease. */
  async leader(): Promise<number> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const lease = await insist(() =>
        this.#rig.client.get<Seen>(resourceOf("Lease"), "kube-system", "lemnis-operator"),
      );
      const index = this.proxies.findIndex((_, candidate) => nameOf(candidate) === lease.spec.holderIdentity);
      if (index >= 0) return index;
      if (performance.now() > deadline) throw new Error("L1: nobody leads");
      await sleep(100);
    }
  }

  /** True once the process that leads now has reconciled as many objects of each kind as these. */
  async hasReconciled(objects: readonly Seen[]): Promise<boolean> {
    const metrics = await this.#operators[await this.leader()]?.metrics().catch(() => undefined);
    if (!metrics) return false;
    const kinds = Map.groupBy(objects, ({ kind }) => kind.toLowerCase());
    return [...kinds].every(
      ([kind, { length }]) => metrics.sum("lemnis_reconcile_total", new RegExp(`controller="${kind}"`)) >= length,
    );
  }

  /** Every write of every replica, with the identity that it was made under. */
  writes() {
    return this.proxies.flatMap(({ writes }, index) => writes.map((write) => ({ writer: nameOf(index), write })));
  }

  /** Those that the API server took. */
  changes() {
    return this.writes().filter(({ write: { status } }) => status < 300);
  }

  /** How many writes have been sent that the API server has not answered. */
  underWay(): number {
    return this.proxies.reduce((sum, proxy) => sum + proxy.underWay, 0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#watched);
    await Promise.all(this.#operators.map((operator) => operator?.stop("SIGKILL")));
    await Promise.all(this.proxies.map((proxy) => proxy.stop()));
  }

  #supervise(): void {
    for (const [index, operator] of this.#operators.entries()) {
      if (!operator?.hasExited) continue;
      this.#operators[index] = undefined;
      this.restarts++;
      if (operator.hasCrashed) this.crashes.push(tail(operator.log(), 5));
      void this.#start(index, false);
    }
  }

  async #start(index: number, waitUntilReady: boolean): Promise<void> {
    const { kubeconfig = "" } = this.proxies[index] ?? {};
    const options = { kubeconfig, name: nameOf(index), env: this.#env, waitUntilReady };
    try {
      const operator = await this.#rig.startOperator(options);
      if (this.#stopped) await operator.stop("SIGKILL");
      else this.#operators[index] = operator;
    } catch (error) {
      // It ended before it was looked at.
      if (waitUntilReady) throw error;
      if (!this.#stopped) await this.#start(index, false);
    }
  }
}

const nameOf = (index: number) => `lemnis-${index}`;
