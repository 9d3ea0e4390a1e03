/** Which versions of a dataset stay: the newest, the current one, and each that something was or may yet be made from. */
import type { Blobs } from "./blobs.ts";
import type { Database, Queries } from "./database.ts";

/** A run that starts with a version has so long to ask for it once another is current. */
const supersededMs = 3600_000;
/** What a pod has asked for is there for so long: it may ask for the files one by one, and be made again. */
const askedMs = 24 * 3600_000;
/** A run that waits for its turn in a queue will ask for its versions so much later. */
const awaitedMs = 7 * 24 * 3600_000;
/** How often it is written down that a version was asked for. */
const touchMs = 3600_000;

/** Who the bytes of a version are kept for. */
export function versionOwner(name: string, version: number): string {
  return `dataset/${name}/${version}`;
}

export class Retention {
  readonly #database: Database;
  readonly #blobs: Blobs;
  readonly #now: () => number;

  constructor(database: Database, blobs: Blobs, now: () => number = Date.now) {
    this.#database = database;
    this.#blobs = blobs;
    this.#now = now;
  }

  /** A pod asks for this version. */
  asked(namespace: string, name: string, version: number): Promise<void> {
    return this.#keep(this.#database, { namespace, name, version }, { forMs: askedMs, often: touchMs });
  }

  /** A run that waits for its turn will ask for this version. */
  awaited(namespace: string, name: string, version: number): Promise<void> {
    return this.#keep(this.#database, { namespace, name, version }, { forMs: awaitedMs, often: touchMs });
  }

  /** Another version becomes current in this one's place. */
  superseded(queries: Queries, namespace: string, name: string, version: number): Promise<void> {
    return this.#keep(queries, { namespace, name, version }, { forMs: supersededMs, often: 0 });
  }

  async #keep(
    queries: Queries,
    of: { namespace: string; name: string; version: number },
    { forMs, often }: { forMs: number; often: number },
  ): Promise<void> {
    const until = this.#now() + forMs;
    await queries.run(
      `UPDATE dataset_versions SET kept_until = ?
       WHERE namespace = ? AND name = ? AND version = ? AND kept_until < ?`,
      until,
      of.namespace,
      of.name,
      of.version,
      until - often,
    );
  }

  /** Forgets what nothing keeps; the bytes go when `Blobs.collect` finds that nobody has them any more. */
  async retire(queries: Queries, namespace: string, name: string): Promise<void> {
    const old = await queries.all<{ version: number }>(
      `SELECT version FROM dataset_versions AS v JOIN datasets AS d ON d.namespace = v.namespace AND d.name = v.name
       WHERE v.namespace = ?1 AND v.name = ?2 AND version != d.current AND kept_until <= ?3
         AND version NOT IN (SELECT version FROM dataset_versions WHERE namespace = ?1 AND name = ?2
                             ORDER BY version DESC LIMIT (SELECT retain FROM datasets WHERE namespace = ?1 AND name = ?2))
         AND NOT EXISTS (SELECT 1 FROM run_inputs AS r
                         WHERE r.namespace = ?1 AND r.dataset = ?2 AND r.digest = v.digest)
         AND NOT EXISTS (SELECT 1 FROM evaluations AS e
                         WHERE e.namespace = ?1 AND e.dataset = ?2 AND e.dataset_digest = v.digest)
         AND NOT EXISTS (SELECT 1 FROM dataset_parents AS p
                         WHERE p.namespace = ?1 AND p.parent = ?2 AND p.digest = v.digest)`,
      namespace,
      name,
      this.#now(),
    );
    for (const { version } of old) {
      await this.#blobs.release(queries, namespace, versionOwner(name, version));
      for (const [table, column] of [
        ["dataset_parents", "dataset"],
        ["dataset_versions", "name"],
      ] as const) {
        const sql = `DELETE FROM ${table} WHERE namespace = ? AND ${column} = ? AND version = ?`;
        await queries.run(sql, namespace, name, version);
      }
    }
  }

  /** Time and other datasets' versions have let go of some: a transaction a dataset, and other requests in between. */
  async retireAll(): Promise<void> {
    const all = await this.#database.all<{ namespace: string; name: string }>("SELECT namespace, name FROM datasets");
    for (const { namespace, name } of all) {
      await this.#database.transaction((queries) => this.retire(queries, namespace, name));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
