/** Leader election by a Lease: how it is taken, renewed and let go. For how long that lets one write is lease-term.ts. */
import type { Clock } from "../runtime/clock.ts";
import type { KubeClient } from "./client.ts";
import { ApiError, classify } from "./errors.ts";
import type { Term } from "./lease-term.ts";
import { leases } from "./resources.ts";
import type { KubeObject } from "./types.ts";

interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface ElectorOptions {
  namespace: string;
  name: string;
  identity: string;
  clock: Clock;
  /** A new one, by the same clock. */
  term: Term;
}

const leaseSeconds = 15;
const retryMs = 2_000;

/** Leads once at the most: a term that is over does not begin again. */
export class Elector {
  readonly #client: KubeClient;
  readonly #options: ElectorOptions;
  #lease: Lease | undefined;
  /** The holder that was seen last, and when by our own clock: others' clocks are not trusted. */
  #seen: { renewTime: string; at: number } | undefined;

  /** The client must be one without a guard: the Lease itself is written before leading. */
  constructor(client: KubeClient, options: ElectorOptions) {
    this.#client = client;
    this.#options = options;
  }

  isLeader(): boolean {
    return this.#options.term.isOn();
  }

  /** True when this process leads; false when the signal came first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#try()) return true;
      await this.#options.clock.sleep(retryMs, signal);
    }
    return false;
  }

  /** Renews until the signal, or until the Lease can't be kept: then others may write, and this process must end. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.isLeader()) {
      await this.#options.clock.sleep(retryMs, signal);
      if (!signal.aborted && this.isLeader()) await this.#try();
    }
  }

  /** Lets the next one lead at once. Call it when no write is under way any more. */
  async release(): Promise<void> {
    if (!this.isLeader() || !this.#lease) return;
    this.#options.term.end();
    const spec = { ...this.#lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: this.#microTime() };
    await this.#client.replace(leases, { ...this.#lease, spec } as Lease).catch(() => undefined);
  }

  /** One try to take or renew the Lease. */
  async #try(): Promise<boolean> {
    const { clock, term } = this.#options;
    try {
      const current = this.isLeader() && this.#lease ? this.#lease : await this.#read();
      if (current && !this.#isFree(current)) return false;
      const sentAt = clock.monotonicMs();
      this.#lease = current ? await this.#client.replace(leases, this.#mine(current)) : await this.#create();
      return term.renew(sentAt);
    } catch (error) {
      const kind = classify(error);
      if (kind === "conflict" || kind === "notFound") await this.#lookAgain();
      return false;
    }
  }

  /** Somebody else wrote or deleted the Lease. If another holds it now, there is no time left to lead. */
  async #lookAgain(): Promise<void> {
    this.#lease = await this.#read().catch(() => undefined);
    const holder = this.#lease?.spec?.holderIdentity;
    if (holder && holder !== this.#options.identity && this.isLeader()) this.#options.term.end();
  }

  async #read(): Promise<Lease | undefined> {
    const { namespace, name } = this.#options;
    try {
      return await this.#client.get<Lease>(leases, namespace, name);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  #isFree({ spec = {} }: Lease): boolean {
    const { clock, identity } = this.#options;
    if (!spec.holderIdentity || spec.holderIdentity === identity) return true;
    const renewTime = spec.renewTime ?? "";
    if (this.#seen?.renewTime !== renewTime) this.#seen = { renewTime, at: clock.monotonicMs() };
    return clock.monotonicMs() - this.#seen.at > (spec.leaseDurationSeconds ?? leaseSeconds) * 1000;
  }

  #mine(current: Lease): Lease {
    const { identity } = this.#options;
    const { spec = {} } = current;
    const taken = spec.holderIdentity !== identity;
    return {
      ...current,
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: leaseSeconds,
        renewTime: this.#microTime(),
        acquireTime: taken ? this.#microTime() : (spec.acquireTime ?? this.#microTime()),
        leaseTransitions: (spec.leaseTransitions ?? 0) + (taken ? 1 : 0),
      },
    };
  }

  #create(): Promise<Lease> {
    const { namespace, name } = this.#options;
    const empty: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, namespace } };
    return this.#client.create(leases, this.#mine(empty));
  }

  /** Six digits, which the API server insists on. */
  #microTime(): string {
    return `${this.#options.clock.now().toISOString().slice(0, -1)}000Z`;
  }
}
