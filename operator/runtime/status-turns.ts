/** When statuses are written: after the children that are on their way, a few at a time, in the order in which they came. */

/** One pass of the loop over an object. */
export interface Turn {
  /** The pass writes no more children: its status is written when it is its turn. */
  status<T>(write: () => Promise<T>): Promise<T>;
  /** The pass has ended, with a status or without. */
  end(): void;
}

interface Waiting {
  since: number;
  begin: () => void;
}

interface Options {
  /** Statuses that are written at the same time while no pass may write children. */
  atOnce: number;
  /** A status that has waited so long goes, alone, though children are still written. */
  patienceMs: number;
}

export class StatusTurns {
  readonly #options: Options;
  /** Passes that may write children yet. */
  #before = 0;
  #writing = 0;
  #isOpen = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #waiting: Waiting[] = [];

  constructor(options: Options) {
    this.#options = options;
  }

  /** `onWait` is called when the pass has to wait with its status. */
  begin(onWait: () => void = () => {}): Turn {
    this.#before++;
    let isBefore = true;
    const leave = () => {
      if (isBefore) this.#before--;
      isBefore = false;
      this.#serve();
    };
    return {
      end: leave,
      status: async (write) => {
        const { promise: turn, resolve } = Promise.withResolvers<void>();
        let isNext = false;
        const begin = () => {
          isNext = true;
          resolve();
        };
        this.#waiting.push({ since: performance.now(), begin });
        leave();
        if (!isNext) onWait();
        await turn;
        try {
          return await write();
        } finally {
          this.#writing--;
          this.#serve();
        }
      },
    };
  }

  /** From now on nobody waits. */
  open(): void {
    this.#isOpen = true;
    this.#serve();
  }

  #serve(): void {
    clearTimeout(this.#timer);
    for (let next = this.#waiting[0]; next && this.#writing < this.#limit(next); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#writing++;
      next.begin();
    }
    const [first] = this.#waiting;
    if (!first || this.#writing > 0) return;
    const wait = first.since + this.#options.patienceMs - performance.now();
    this.#timer = setTimeout(() => this.#serve(), Math.max(1, wait));
  }

  #limit({ since }: Waiting): number {
    if (this.#isOpen) return Number.POSITIVE_INFINITY;
    if (this.#before === 0) return this.#options.atOnce;
    return performance.now() - since >= this.#options.patienceMs ? 1 : 0;
  }
}
