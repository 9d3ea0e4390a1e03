import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

/** A file that is written piece by piece, and hashed on the way. */
export class SplitFile {
  rows = 0;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #buffer = Buffer.allocUnsafe(2 << 20);
  #length = 0;
  #size = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async create(local: string): Promise<SplitFile> {
    return new SplitFile(await open(local, "w"));
  }

  add(bytes: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(length * 2);
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#length, start, end);
    this.#length = length;
  }

  async flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#hash.update(bytes);
    await this.#handle.writeFile(bytes);
    this.#size += bytes.length;
    this.#length = 0;
  }

  /** Once all is flushed. */
  described(): { rows: number; digest: string; size: number } {
    return { rows: this.rows, digest: `sha256:${this.#hash.digest("hex")}`, size: this.#size };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** A long list of numbers that comes in pieces. */
export class SplitNumbers {
  readonly #pieces: AsyncGenerator<unknown[]>;
  #waiting: unknown[] = [];
  #next = 0;

  constructor(pieces: AsyncGenerator<unknown[]>) {
    this.#pieces = pieces;
  }

  /** Makes sure of `count` numbers, as far as there are so many. */
  async fetch(count: number): Promise<void> {
    const waiting = [this.#waiting.slice(this.#next)];
    let length = this.#waiting.length - this.#next;
    while (length < count) {
      const { value, done } = await this.#pieces.next();
      if (done) break;
      waiting.push(value);
      length += value.length;
    }
    this.#waiting = waiting.flat();
    this.#next = 0;
  }

  /** -1 when there is none. */
  take(): number {
    return Number(this.#waiting[this.#next++] ?? -1);
  }

  async done(): Promise<boolean> {
    await this.fetch(1);
    return this.#waiting.length === 0;
  }
}
