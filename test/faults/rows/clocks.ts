/** Electors in this process whose clocks differ in offset and rate, on a real Lease. Ten times as fast as real ones. */
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeClient } from "../../../operator/kube/client.ts";
import { ConnectionError } from "../../../operator/kube/errors.ts";
import { Elector } from "../../../operator/kube/lease.ts";
import { Term } from "../../../operator/kube/lease-term.ts";
import type { Clock } from "../../../operator/runtime/clock.ts";
import { clientOf } from "../../rig/cluster.ts";
import type { Run, Scene } from "../campaign.ts";
import { patienceMs } from "../user.ts";

const speed = 10;
/** Clocks of one cluster differ by less than this in their rate, and by anything in what time they say. */
const maxRate = 0.15;
const maxOffsetMs = 24 * 3600_000;
const terms = 4;

class SkewedClock implements Clock {
  readonly #rate: number;
  readonly #offsetMs: number;
  constructor(rate: number, offsetMs: number) {
    [this.#rate, this.#offsetMs] = [rate, offsetMs];
  }
  monotonicMs = () => performance.now() * speed * this.#rate;
  now = () => new Date(Date.now() + this.#offsetMs);
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await sleep(ms / speed / this.#rate, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}

/** One process: it leads until its network is cut, which it finds out by its own clock alone. */
class Candidate {
  readonly term: Term;
  readonly #elector: Elector;
  readonly #client: KubeClient;
  isCut = false;

  constructor({ rig, user, random }: Scene, identity: string) {
    const between = (limit: number) => (2 * random() - 1) * limit;
    const clock = new SkewedClock(1 + between(maxRate), between(maxOffsetMs));
    this.term = new Term(clock);
    this.#client = clientOf(rig.plane.kubeconfig);
    const { get, create, replace } = this.#client;
    for (const [verb, call] of Object.entries({ get, create, replace })) {
      const unlessCut = async (...args: unknown[]) => {
        if (this.isCut) throw new ConnectionError("Lease", new Error("cut off"));
        return Reflect.apply(call, this.#client, args);
      };
      Object.assign(this.#client, { [verb]: unlessCut });
    }
    const lease = { namespace: user.namespace, name: "skewed", identity };
    this.#elector = new Elector(this.#client, { ...lease, clock, term: this.term });
  }

  async run(signal: AbortSignal): Promise<void> {
    if (await this.#elector.acquire(signal)) await this.#elector.keep(signal);
    await this.#client.close();
  }
}

/** Each leader in turn is cut off; who has led is replaced, as a Deployment would. Never are two on. */
export const skewed: Run = {
  name: `rates of 1 ± ${maxRate}, ${terms} leaders cut off`,
  play: async (scene) => {
    const stop = new AbortController();
    const candidates: Candidate[] = [];
    const lead = async (replica: number) => {
      for (let life = 0; !stop.signal.aborted; life++) {
        const candidate = new Candidate(scene, `${replica}-${life}`);
        candidates[replica] = candidate;
        await candidate.run(stop.signal);
      }
    };
    const running = [lead(0), lead(1), lead(2)];
    const found: string[] = [];
    const deadline = performance.now() + patienceMs;
    for (let led = 0; led < terms && found.length === 0; await sleep(1)) {
      const leading = candidates.filter(({ term }) => term.isOn());
      if (leading.length > 1) found.push("S7: two lead at once");
      for (const leader of leading) {
        if (!leader.isCut) led++;
        leader.isCut = true;
      }
      if (performance.now() > deadline) found.push(`L1: only ${led} have led`);
    }
    stop.abort();
    await Promise.all(running);
    return found;
  },
};
