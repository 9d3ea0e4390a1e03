/**
 * Leader election by a Lease. A holder that could not renew in time stops writing before anyone else may begin: its
 * own clock, which never runs backwards, decides.
 */
import type { Clock } from "../runtime/clock.ts";
import type { KubeClient } from "./client.ts";
import { ApiError, classify, NotLeaderError } from "./errors.ts";
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
  /** Told once, when the Lease could not be kept. The process must end: others may write now. */
  onLost: () => void;
}

const leaseSeconds = 15;
/** Writes stop this long after the last renewal that was sent; others wait the whole lease. */
const renewDeadlineMs = 10_000;
const retryMs = 2_000;

export class Elector {
  readonly #client: KubeClient;
  readonly #options: ElectorOptions;
  #lease: Lease | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #leading = false;
  /** The holder that was seen last, and when by our own clock: others' clocks are not trusted. */
  #seen: { renewTime: string; at: number } | undefined;

  /** The client must be one without this elector as its guard: the Lease itself is written before leading. */
  constructor(client: KubeClient, options: ElectorOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Once false it stays so until the next `acquire`: a write that was refused is not tried again by a later renewal. */
  isLeader(): boolean {
    if (this.#options.clock.monotonicMs() - this.#renewedAt >= renewDeadlineMs) this.#leading = false;
    return this.#leading;
  }

  /** For a client's `writeGuard`. */
  readonly guard = (): void => {
    if (!this.isLeader()) throw new NotLeaderError();
  };

  /** Resolves when this process leads; undefined when the signal came first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#try()) {
        this.#leading = true;
        return true;
      }
      await this.#options.clock.sleep(retryMs, signal);
    }
    return false;
  }

  /** Renews until the signal; calls onLost when the Lease can't be kept. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(retryMs, signal);
      if (signal.aborted) return;
      if (this.isLeader()) await this.#try();
      if (!this.isLeader()) {
        this.#options.onLost();
        return;
      }
    }
  }

  /** Lets the next one lead at once. Call it when no write is under way any more. */
  async release(): Promise<void> {
    if (!this.isLeader() || !this.#lease) return;
    this.#leading = false;
    const spec = { ...this.#lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: this.#microTime() };
    await this.#client.replace(leases, { ...this.#lease, spec } as Lease).catch(() => undefined);
  }

  /** One try to take or renew the Lease. */
  async #try(): Promise<boolean> {
    const { clock, identity } = this.#options;
    const from = clock.monotonicMs();
    try {
      const current = this.#leading && this.#lease ? this.#lease : await this.#read();
      if (current && !this.#isFree(current)) return false;
      this.#lease = current ? await this.#client.replace(leases, this.#mine(current)) : await this.#create();
      // Counted from before the request: the server may have taken it then.
      this.#renewedAt = from;
      return this.#lease.spec?.holderIdentity === identity;
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
    if (holder && holder !== this.#options.identity) this.#leading = false;
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
