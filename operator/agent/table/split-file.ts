import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

/** A file that is written piece by piece, and hashed on the way. */
export class SplitFile {
  rows = 0;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #buffer = Buffer.allocUnsafe(64 << 10);
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
