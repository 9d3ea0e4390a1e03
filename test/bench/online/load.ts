/** Requests over kept connections, and how long their answers took. */
import { loadavg } from "node:os";
import { setImmediate as turn } from "node:timers/promises";
import { Pool } from "undici";
import { inMs } from "../report.ts";

export interface Target {
  url: string;
  path: string;
  /** The body of a request for these keys. */
  body(keys: readonly number[]): string;
  /** Keys are 0 to this - 1. */
  keys: number;
}

interface Load {
  batch: number;
  seconds: number;
}

export interface Measured {
  /** Answers a second. */
  rate: number;
  p50: number;
  p99: number;
  errors: number;
}

const connections = 32;

class Caller {
  readonly times: number[] = [];
  errors = 0;
  readonly #pool: Pool;
  readonly #target: Target;
  readonly #batch: number;

  constructor(target: Target, batch: number) {
    this.#target = target;
    this.#batch = batch;
    this.#pool = new Pool(target.url, { connections, headersTimeout: 10_000, bodyTimeout: 10_000 });
  }

  /** Counts from `due`, so that a request which waits for a connection is not counted as quick. */
  async ask(due: number): Promise<void> {
    const { path, body, keys } = this.#target;
    const asked = Array.from({ length: this.#batch }, () => Math.floor(Math.random() * keys));
    try {
      const headers = { "content-type": "application/json" };
      const answer = await this.#pool.request({ path, method: "POST", headers, body: body(asked) });
      await answer.body.arrayBuffer();
      if (answer.statusCode !== 200) this.errors++;
      else this.times.push(performance.now() - due);
    } catch {
      this.errors++;
    }
  }

  async result(started: number): Promise<Measured> {
    const rate = (this.times.length * 1000) / (performance.now() - started);
    await this.#pool.close();
    const sorted = this.times.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
    return { rate, p50: at(0.5), p99: at(0.99), errors: this.errors };
  }
}

/** Open loop: `rate` requests a second are due, whether or not those before are answered. */
export async function openLoop(target: Target, { batch, seconds, rate }: Load & { rate: number }): Promise<Measured> {
  const caller = new Caller(target, batch);
  // Connections and code are warm before anything counts.
  await Promise.all(Array.from({ length: connections }, () => caller.ask(performance.now())));
  caller.times.length = 0;
  caller.errors = 0;
  const started = performance.now();
  const asked: Promise<void>[] = [];
  while (asked.length < rate * seconds) {
    const due = started + (asked.length * 1000) / rate;
    // A timer is a millisecond late; the loop has this core for itself.
    if (performance.now() >= due) asked.push(caller.ask(due));
    else await turn();
  }
  await Promise.all(asked);
  return caller.result(started);
}

/** Closed loop: what the server can do with four callers that each wait for their answer. */
export async function closedLoop(target: Target, { batch, seconds }: Load): Promise<Measured> {
  const caller = new Caller(target, batch);
  const started = performance.now();
  const call = async () => {
    while (performance.now() - started < seconds * 1000) await caller.ask(performance.now());
  };
  await Promise.all(Array.from({ length: 4 }, call));
  return caller.result(started);
}

export function describe({ rate, p50, p99, errors }: Measured): string {
  const load = loadavg()[0]?.toFixed(0);
  return `p50 ${inMs(p50)}, p99 ${inMs(p99)}, ${rate.toFixed(0)} answers/s, ${errors} errors (load ${load})`;
}
