/** Bytes by their digest, in a folder a namespace. A blob is there whole or not at all. */
import { randomUUID } from "node:crypto";
import { createReadStream, mkdirSync, type ReadStream, rmSync } from "node:fs";
import { glob, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { Content, FileEntry } from "./api.ts";
import { chunks } from "./chunks.ts";
import type { Database, Queries, Value } from "./database.ts";
import { conflict, HttpError } from "./errors.ts";
import { receive } from "./receive.ts";
import { syncFolder } from "./sync.ts";

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

/** SQL: a row, once more where it is there. */
const insert = `INSERT INTO blobs VALUES (?, ?, ?, ?) ON CONFLICT (namespace, digest) DO UPDATE
  SET size = excluded.size, created_at = excluded.created_at`;

export class Blobs {
  readonly #folder: string;
  readonly #database: Database;
  /** Uploads that become visible now, by path: `collect` leaves what they bring. */
  readonly #arriving = new Map<string, number>();
  /** Removals under way, by path: an upload that brings the same bytes becomes visible after them. */
  readonly #leaving = new Map<string, Promise<boolean>>();
  /** Of uploads that are on the disk, for the next transaction. */
  readonly #rows: Value[][] = [];
  #recorded: Promise<void> | undefined;
  /** Folders that are there, by path. */
  readonly #folders = new Map<string, Promise<void>>();

  constructor(dataDir: string, database: Database) {
    this.#folder = join(dataDir, "blobs");
    this.#database = database;
    // What a crash left half-written was never visible.
    rmSync(this.#temporary(), { recursive: true, force: true });
    mkdirSync(this.#temporary(), { recursive: true });
  }

  size(namespace: string, digest: string): Promise<number | undefined> {
    return sizeOf(this.#database, namespace, digest);
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
      await this.#leaving.get(path)?.catch(() => {});
      await this.#made(dirname(path));
      await rename(temporary, path);
      await syncFolder(dirname(path));
      await this.#record([namespace, digest, size, Date.now()]);
    } finally {
      const others = (this.#arriving.get(path) ?? 1) - 1;
      if (others > 0) this.#arriving.set(path, others);
      else this.#arriving.delete(path);
    }
  }

  /** Rows that come at the same time become one transaction: each waits for the disk, and all for each. */
  #record(row: Value[]): Promise<void> {
    this.#rows.push(row);
    this.#recorded ??= setImmediate().then(async () => {
      const rows = this.#rows.splice(0);
      this.#recorded = undefined;
      await this.#database.transaction(async (queries) => {
        for (const row of rows) await queries.run(insert, ...row);
      });
    });
    return this.#recorded;
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
  async touch(namespace: string, digest: string): Promise<void> {
    const sql = "UPDATE blobs SET created_at = ? WHERE namespace = ? AND digest = ? AND created_at < ?";
    const now = Date.now();
    await this.#database.run(sql, now, namespace, digest, now - touchMs);
  }

  read(namespace: string, digest: string, range: { start?: number; end?: number } = {}): ReadStream {
    return createReadStream(this.path(namespace, digest), range);
  }

  /** The owner needs these files, all of which must be there with the right size. */
  async refer(queries: Queries, namespace: string, owner: string, files: readonly FileEntry[]): Promise<void> {
    const most = statementSizes.at(-1) as number;
    for (const some of chunks(files, most)) {
      const digests = padded(some.map(({ digest }) => digest));
      const places = digests.map(() => "?").join(", ");
      const known = await queries.all<Content>(
        `SELECT digest, size FROM blobs WHERE namespace = ? AND digest IN (${places})`,
        namespace,
        ...digests,
      );
      const sizes = new Map(known.map(({ digest, size }) => [digest, size]));
      for (const file of some) requireBytes(file, sizes.get(file.digest));
      await queries.run(
        `INSERT INTO blob_refs VALUES ${digests.map(() => "(?, ?, ?)").join(", ")} ON CONFLICT DO NOTHING`,
        ...digests.flatMap((digest) => [namespace, owner, digest]),
      );
    }
  }

  async release(queries: Queries, namespace: string, owner: string): Promise<void> {
    await queries.run("DELETE FROM blob_refs WHERE namespace = ? AND owner = ?", namespace, owner);
  }

  /** Deletes what no record has referred to for so long. The row goes first: a file without one is invisible. */
  async collect(olderThanMs: number): Promise<number> {
    const before = Date.now() - olderThanMs;
    const select = `SELECT namespace, digest FROM blobs WHERE ${unused}`;
    const sql = `DELETE FROM blobs WHERE ${unused} AND namespace = ? AND digest = ?`;
    let count = 0;
    const found = await this.#database.all<{ namespace: string; digest: string }>(select, before);
    for (const { namespace, digest } of found) {
      const forget = () => this.#database.transaction((queries) => queries.run(sql, before, namespace, digest));
      if (await this.#remove(this.path(namespace, digest), async () => (await forget()) > 0)) count++;
      // Other requests come first.
      await setImmediate();
    }
    return count;
  }

  /** Deletes the files that a crash left between their rename and their row, or between the row's end and theirs. */
  async collectStray(): Promise<number> {
    let count = 0;
    for await (const path of glob(join(this.#folder, "*/sha256/??/*"))) {
      const [namespace = "", , , hex = ""] = relative(this.#folder, path).split(sep);
      const isStray = async () => (await this.size(namespace, `sha256:${hex}`)) === undefined;
      if (await this.#remove(path, isStray)) count++;
    }
    return count;
  }

  /** Deletes a file that nothing has any more; whoever brings it meanwhile waits until that is known and done. */
  async #remove(path: string, isUnused: () => Promise<boolean>): Promise<boolean> {
    if (this.#arriving.has(path) || this.#leaving.has(path)) return false;
    const removal = isUnused().then((gone) => {
      if (gone) rmSync(path, { force: true });
      return gone;
    });
    this.#leaving.set(path, removal);
    return removal.finally(() => this.#leaving.delete(path));
  }

  /** Bytes of all blobs. */
  async totalBytes(): Promise<number> {
    const sql = "SELECT CAST(coalesce(sum(size), 0) AS BIGINT) AS bytes FROM blobs";
    return (await this.#database.get<{ bytes: number }>(sql))?.bytes ?? 0;
  }

  /** True when the file is really there, with its size; a row alone is a promise. */
  async isIntact(namespace: string, digest: string): Promise<boolean> {
    const found = await stat(this.path(namespace, digest)).catch(() => undefined);
    return found !== undefined && found.size === (await this.size(namespace, digest));
  }

  path(namespace: string, digest: string): string {
    const hex = digest.slice("sha256:".length);
    return join(this.#folder, namespace, "sha256", hex.slice(0, 2), hex);
  }

  #temporary(): string {
    return join(this.#folder, ".uploads");
  }
}

/** How many blobs a statement is about: few sizes, so that there are few statements. */
const statementSizes = [1, 10, 100];

/** As many as the next such size, the last one again and again; never none. */
function padded(digests: readonly string[]): string[] {
  const length = statementSizes.find((size) => size >= digests.length) ?? digests.length;
  return Array.from({ length }, (_, index) => digests[Math.min(index, digests.length - 1)] as string);
}

function requireBytes({ path, size, digest }: FileEntry, known: number | undefined): void {
  if (known === undefined)
    throw conflict(`the bytes of ${path} (${digest}) are not here: PUT artifacts/${digest} first`);
  if (known !== size) throw conflict(`${path} has ${known} bytes, not ${size}: give the file's right size`);
}

async function sizeOf(queries: Queries, namespace: string, digest: string): Promise<number | undefined> {
  const sql = "SELECT size FROM blobs WHERE namespace = ? AND digest = ?";
  return (await queries.get<{ size: number }>(sql, namespace, digest))?.size;
}
