import { createHash } from "node:crypto";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { digestOf } from "../../api/digest.ts";

/**
 * A file that is written piece by piece, and hashed on the way. At once, as nothing else is to be done meanwhile: through
 * another thread a small file would take ten times as long.
 */
export class SplitFile {
  rows = 0;
  readonly #file: number;
  readonly #hash = createHash("sha256");
  #buffer = Buffer.allocUnsafe(64 << 10);
  #length = 0;
  #size = 0;

  constructor(local: string) {
    this.#file = openSync(local, "w");
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

  flush(): void {
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#hash.update(bytes);
    writeFileSync(this.#file, bytes);
    this.#size += bytes.length;
    this.#length = 0;
  }

  /** Once all is flushed. */
  described(): { rows: number; digest: string; size: number } {
    return { rows: this.rows, digest: digestOf(this.#hash), size: this.#size };
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
