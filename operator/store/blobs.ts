/** Bytes by their digest, in a folder a namespace. A blob is there whole or not at all. */
import { randomUUID } from "node:crypto";
import { createReadStream, mkdirSync, type ReadStream, rmSync } from "node:fs";
import { glob, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Readable } from "node:stream";
import type { Content, FileEntry } from "./api.ts";
import type { Database } from "./database.ts";
import { conflict, HttpError } from "./errors.ts";
import { receive } from "./receive.ts";

interface Upload {
  body: Readable;
  /** Bytes that the sender announced. */
  length?: number;
  /** Which the sender knew. */
  digest?: string;
}

/** How often a blob that is counted on again is written down as such. */
const touchMs = 3600_000;
/** SQL: of a blob, that it was counted on before a time, and that no record refers to it. */
const unused = `created_at < ? AND NOT EXISTS
  (SELECT 1 FROM blob_refs AS r WHERE r.namespace = blobs.namespace AND r.digest = blobs.digest)`;

export class Blobs {
  readonly #folder: string;
  readonly #database: Database;
  /** Uploads that become visible now, by path: `collect` leaves what they bring. */
  readonly #arriving = new Map<string, number>();
  /** Folders that are there, by path. */
  readonly #folders = new Map<string, Promise<void>>();

  constructor(dataDir: string, database: Database) {
    this.#folder = join(dataDir, "blobs");
    this.#database = database;
    // What a crash left half-written was never visible.
    rmSync(this.#temporary(), { recursive: true, force: true });
    mkdirSync(this.#temporary(), { recursive: true });
  }

  size(namespace: string, digest: string): number | undefined {
    const sql = "SELECT size FROM blobs WHERE namespace = ? AND digest = ?";
    return this.#database.get<{ size: number }>(sql, namespace, digest)?.size;
  }

  /** Streams an upload to disk. Throws, and leaves nothing, when its bytes are not those that were announced. */
  async put(namespace: string, { body, length, digest }: Upload): Promise<Content> {
    const temporary = join(this.#temporary(), randomUUID());
    try {
      const received = await receive(temporary, body, length);
      if (length !== undefined && received.size !== length) {
        throw new HttpError(400, "Truncated", `${received.size} of ${length} bytes arrived: send the artifact again`);
      }
      if (digest !== undefined && received.digest !== digest) {
        const message = `the bytes have the digest ${received.digest}, not ${digest}: send the right ones`;
        throw new HttpError(422, "DigestMismatch", message);
      }
      await this.#keep(namespace, temporary, received);
      return received;
    } catch (error) {
      await rm(temporary, { force: true });
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") {
        throw new HttpError(507, "DiskFull", "the store's volume is full: make it larger, or delete versions");
      }
      throw error;
    }
  }

  async #keep(namespace: string, temporary: string, { digest, size }: Content): Promise<void> {
    const path = this.path(namespace, digest);
    this.#arriving.set(path, (this.#arriving.get(path) ?? 0) + 1);
    try {
      await this.#made(dirname(path));
      await rename(temporary, path);
      await syncFolder(dirname(path));
      this.#database.run("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?)", namespace, digest, size, Date.now());
    } finally {
      const others = (this.#arriving.get(path) ?? 1) - 1;
      if (others > 0) this.#arriving.set(path, others);
      else this.#arriving.delete(path);
    }
  }

  /** Makes a folder and those that it is in, on the disk too: the first who needs it, and others wait for that. */
  #made(folder: string): Promise<void> {
    if (folder === this.#folder) return Promise.resolve();
    const known = this.#folders.get(folder);
    if (known) return known;
    const making = this.#made(dirname(folder))
      .then(() => mkdir(folder, { recursive: true }))
      .then(() => syncFolder(dirname(folder)));
    this.#folders.set(folder, making);
    making.catch(() => this.#folders.delete(folder));
    return making;
  }

  /** Somebody counts on a blob that no record refers to yet: `collect` leaves it for as long as a new one. */
  touch(namespace: string, digest: string): void {
    const sql = "UPDATE blobs SET created_at = ?1 WHERE namespace = ?2 AND digest = ?3 AND created_at < ?1 - ?4";
    this.#database.run(sql, Date.now(), namespace, digest, touchMs);
  }

  read(namespace: string, digest: string, range: { start?: number; end?: number } = {}): ReadStream {
    return createReadStream(this.path(namespace, digest), range);
  }

  /** In a transaction: the owner needs these files, all of which must be there with the right size. */
  refer(namespace: string, owner: string, files: readonly FileEntry[]): void {
    for (const { path, size, digest } of files) {
      const known = this.size(namespace, digest);
      if (known === undefined)
        throw conflict(`the bytes of ${path} (${digest}) are not here: PUT artifacts/${digest} first`);
      if (known !== size) throw conflict(`${path} has ${known} bytes, not ${size}: give the file's right size`);
      this.#database.run("INSERT OR IGNORE INTO blob_refs VALUES (?, ?, ?)", namespace, owner, digest);
    }
  }

  release(namespace: string, owner: string): void {
    this.#database.run("DELETE FROM blob_refs WHERE namespace = ? AND owner = ?", namespace, owner);
  }

  /** Deletes what no record has referred to for so long. The row goes first: a file without one is invisible. */
  async collect(olderThanMs: number): Promise<number> {
    const before = Date.now() - olderThanMs;
    const sql = `SELECT namespace, digest FROM blobs WHERE ${unused}`;
    let count = 0;
    for (const { namespace, digest } of this.#database.all<{ namespace: string; digest: string }>(sql, before)) {
      if (!this.#forget(namespace, digest, before)) continue;
      count++;
      // Other requests come first.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return count;
  }

  /** Deletes the files that a crash left between their rename and their row, or between the row's end and theirs. */
  async collectStray(): Promise<number> {
    let count = 0;
    for await (const path of glob(join(this.#folder, "*/sha256/??/*"))) {
      const [namespace = "", , , hex = ""] = relative(this.#folder, path).split(sep);
      // Synchronous, as below.
      if (this.#arriving.has(path) || this.size(namespace, `sha256:${hex}`) !== undefined) continue;
      rmSync(path, { force: true });
      count++;
    }
    return count;
  }

  /** Synchronous, so that no record, no upload and nobody who counts on it comes between the look and the deletion. */
  #forget(namespace: string, digest: string, before: number): boolean {
    const path = this.path(namespace, digest);
    const sql = `DELETE FROM blobs WHERE ${unused} AND namespace = ? AND digest = ?`;
    if (this.#arriving.has(path) || this.#database.run(sql, before, namespace, digest) === 0) return false;
    rmSync(path, { force: true });
    return true;
  }

  /** Bytes of all blobs. */
  totalBytes(): number {
    return this.#database.get<{ bytes: number }>("SELECT coalesce(sum(size), 0) AS bytes FROM blobs")?.bytes ?? 0;
  }

  /** True when the file is really there, with its size; a row alone is a promise. */
  async isIntact(namespace: string, digest: string): Promise<boolean> {
    const found = await stat(this.path(namespace, digest)).catch(() => undefined);
    return found !== undefined && found.size === this.size(namespace, digest);
  }

  path(namespace: string, digest: string): string {
    const hex = digest.slice("sha256:".length);
    return join(this.#folder, namespace, "sha256", hex.slice(0, 2), hex);
  }

  #temporary(): string {
    return join(this.#folder, ".uploads");
  }
}

/** What a folder has been given is on disk once it is itself. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
