/**
 * Keys ("namespace/name") to reconcile: each at most once in the queue and at most once at work, what a user has just
 * edited before the rest, namespaces by turns, failures ever later.
 */
import { FairLane } from "./fair-lane.ts";

/** "edit": a user waits for it. "change": what followed from it, and what a list brought. */
export type Priority = "edit" | "change";

/** One take in so many is for changes though edits wait, so that those can't starve. */
const changesTurn = 8;

const baseDelayMs = 200;
const maxDelayMs = 5 * 60_000;

export interface QueueOptions {
  now?: () => number;
  /** 0 to 1; spreads retries. */
  random?: () => number;
  /** Told how long a key has waited when it is taken. */
  onTaken?: (waitedMs: number) => void;
}

export class WorkQueue {
  readonly #ready: Record<Priority, FairLane> = { edit: new FairLane(), change: new FairLane() };
  readonly #working = new Set<string>();
  /** Keys that were added while at work. */
  readonly #again = new Map<string, Priority>();
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; due: number }>();
  /** Failures in a row, and whether the time after the last of them is over. */
  readonly #failures = new Map<string, { count: number; isDue: boolean }>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #options: Required<QueueOptions>;
  #turn = 0;
  #closed = false;

  constructor({ now = () => performance.now(), random = Math.random, onTaken = () => {} }: QueueOptions = {}) {
    this.#options = { now, random, onTaken };
  }

  /** Keys that wait to be taken. */
  get depth(): number {
    return this.#ready.edit.size + this.#ready.change.size;
  }

  add(key: string, priority: Priority = "edit"): void {
    if (this.#closed) return;
    if (this.#working.has(key)) {
      if (this.#again.get(key) !== "edit") this.#again.set(key, priority);
      return;
    }
    const { edit, change } = this.#ready;
    if (edit.has(key) || (priority === "change" && change.has(key))) return;
    this.#ready[priority].add(key, change.remove(key) ?? this.#options.now());
    this.#serve();
  }

  /** Adds the key after a time; the earliest of several such wishes holds. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    const due = this.#options.now() + ms;
    const pending = this.#timers.get(key);
    if (pending && pending.due <= due) return;
    clearTimeout(pending?.timer);
    // A timer's longest time is 24.8 days; a key that is early only finds nothing to do.
    const timer = setTimeout(
      () => {
        this.#timers.delete(key);
        const failure = this.#failures.get(key);
        if (failure) failure.isDue = true;
        this.add(key, "change");
      },
      Math.min(ms, 2 ** 31 - 1),
    );
    this.#timers.set(key, { timer, due });
  }

  /**
   * Adds the key after a time that doubles with each failure in a row, and is at least `atLeastMs`. Returns that time. A
   * failure before that, as changes bring the key back sooner, is of the same try and makes the next time no longer.
   */
  retry(key: string, atLeastMs = 0): number {
    const { count, isDue } = this.#failures.get(key) ?? { count: 0, isDue: true };
    const pending = this.#timers.get(key);
    if (!isDue && pending) return pending.due - this.#options.now();
    this.#failures.set(key, { count: count + 1, isDue: false });
    const delay = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(count, 20)) * (0.5 + this.#options.random() / 2);
    const ms = Math.max(atLeastMs, delay);
    this.addAfter(key, ms);
    return ms;
  }

  /** The key has succeeded: its next failure is a first one. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key; undefined when the queue is closed. Call `done` when its work has ended. */
  take(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#serve();
    });
  }

  done(key: string): void {
    this.#working.delete(key);
    const priority = this.#again.get(key);
    this.#again.delete(key);
    if (priority) this.add(key, priority);
  }

  /** No key is given out any more; those at work are finished by their takers. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #serve(): void {
    if (this.#closed) {
      for (const taker of this.#takers.splice(0)) taker(undefined);
      return;
    }
    const { edit, change } = this.#ready;
    while (this.#takers.length > 0 && this.depth > 0) {
      const isChangesTurn = change.size > 0 && (edit.size === 0 || this.#turn++ % changesTurn === changesTurn - 1);
      const next = (isChangesTurn ? change : edit).take();
      if (!next) return;
      this.#working.add(next.key);
      this.#options.onTaken(this.#options.now() - next.since);
      this.#takers.shift()?.(next.key);
    }
  }
}
