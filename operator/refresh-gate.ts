/** Lets one refresh of a Dataset through in ten seconds; those that come meanwhile become one more, when the time is over. */
const quietMs = 10_000;

interface Gate {
  last: number;
  /** Set while a refresh waits for the time to be over. */
  timer?: NodeJS.Timeout;
}

export class RefreshGate {
  readonly #refresh: (key: string) => Promise<void>;
  /** By key, those that were let through longest ago first. */
  readonly #gates = new Map<string, Gate>();

  constructor(refresh: (key: string) => Promise<void>) {
    this.#refresh = refresh;
  }

  /** Throws what the refresh throws, when it is made at once. */
  async ask(key: string): Promise<void> {
    this.#forget();
    const gate = this.#gates.get(key);
    if (gate) return this.#wait(key, gate);
    this.#open(key);
    try {
      await this.#refresh(key);
    } catch (error) {
      this.#gates.delete(key);
      throw error;
    }
  }

  close(): void {
    for (const { timer } of this.#gates.values()) clearTimeout(timer);
    this.#gates.clear();
  }

  #open(key: string): void {
    this.#gates.delete(key);
    this.#gates.set(key, { last: performance.now() });
  }

  #wait(key: string, gate: Gate): void {
    gate.timer ??= setTimeout(
      () => {
        this.#open(key);
        // Nobody is left to be told of a failure: it is tried again.
        this.#refresh(key).catch(() => {
          const current = this.#gates.get(key);
          if (current) this.#wait(key, current);
        });
      },
      Math.max(0, gate.last + quietMs - performance.now()),
    );
  }

  #forget(): void {
    for (const [key, { last, timer }] of this.#gates) {
      if (last + quietMs > performance.now()) break;
      if (!timer) this.#gates.delete(key);
    }
  }
}
