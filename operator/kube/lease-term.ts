/**
 * The time for which this process leads, in memory that its threads share: one renews it, the other asks before each
 * write. Whoever finds it over ends it for both and for good: no later renewal brings back what was refused.
 *
 * A write begins less than 10 s after the last renewal was sent, and the client gives it up 5 s later. Others wait 15 s,
 * the whole lease, from when they saw that renewal. So no two processes write at once.
 */
import { type Clock, systemClock } from "../runtime/clock.ts";

const renewDeadlineMs = 10_000;

/** One time for all threads, which goes on while the process is stopped. `performance.now()` counts from a thread's start. */
export const sharedClock: Clock = { ...systemClock, monotonicMs: () => Number(process.hrtime.bigint()) / 1e6 };

/** In place of the time of the last renewal. */
const notBegun = -1n;
const over = -2n;

export class Term {
  /** To be given to another thread's `Term`. */
  readonly memory: SharedArrayBuffer;
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** One element: when the last renewal was sent, in milliseconds. */
  readonly #renewed: BigInt64Array<SharedArrayBuffer>;

  /** Without memory it is a new one, which has not begun. The clock must be the same in all threads. */
  constructor(clock: Pick<Clock, "monotonicMs">, memory?: SharedArrayBuffer) {
    this.#clock = clock;
    this.memory = memory ?? new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
    this.#renewed = new BigInt64Array(this.memory);
    if (!memory) Atomics.store(this.#renewed, 0, notBegun);
  }

  /** May this process write now? False is the last word. */
  isOn(): boolean {
    const renewed = Atomics.load(this.#renewed, 0);
    if (renewed < 0n) return false;
    if (this.#isRecent(renewed)) return true;
    this.end();
    return false;
  }

  /**
   * Begins or prolongs it, counted from before the request was sent: the server may have taken it then. False when it
   * is over, or the answer came too late.
   */
  renew(sentAt: number): boolean {
    const before = Atomics.load(this.#renewed, 0);
    if (before !== notBegun && !this.isOn()) return false;
    const renewed = BigInt(Math.floor(sentAt));
    return this.#isRecent(renewed) && Atomics.compareExchange(this.#renewed, 0, before, renewed) === before;
  }

  end(): void {
    Atomics.store(this.#renewed, 0, over);
  }

  #isRecent(renewed: bigint): boolean {
    return this.#clock.monotonicMs() - Number(renewed) < renewDeadlineMs;
  }
}
