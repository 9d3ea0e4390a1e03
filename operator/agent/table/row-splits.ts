import type { Database } from "./database.ts";

/** More than a rule has. */
const splitLimit = 256;

/** The splits of all rows of the table `cells`, file by file, each asked for once: a query for each file would take longer than most files. */
export class RowSplits {
  readonly #pieces: AsyncGenerator<unknown[]>;
  #waiting: unknown[] = [];
  #next = 0;

  constructor(database: Database) {
    this.#pieces = database.stream(`SELECT (file * ${splitLimit}.0 + split)::DOUBLE FROM cells`);
  }

  /** Makes sure of the next `count` rows, as far as there are so many. */
  async fetch(count: number): Promise<void> {
    let length = this.#waiting.length - this.#next;
    if (length >= count) return;
    const waiting = [this.#waiting.slice(this.#next)];
    while (length < count) {
      const { value, done } = await this.#pieces.next();
      if (done) break;
      waiting.push(value);
      length += value.length;
    }
    this.#waiting = waiting.flat();
    this.#next = 0;
  }

  /** The split of the next row, which must be fetched and one of the file's; else -1. */
  take(file: number): number {
    const split = this.#peek(file);
    if (split >= 0) this.#next += 1;
    return split;
  }

  async isDone(file: number): Promise<boolean> {
    await this.fetch(1);
    return this.#peek(file) < 0;
  }

  #peek(file: number): number {
    const split = Number(this.#waiting[this.#next] ?? -1) - file * splitLimit;
    return split >= 0 && split < splitLimit ? split : -1;
  }
}
