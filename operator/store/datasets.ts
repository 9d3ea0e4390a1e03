import {
  type DatasetRecord,
  type DatasetVersion,
  type DatasetVersionDetail,
  type DatasetVersionInput,
  manifestDigest,
} from "./api.ts";
import type { Blobs } from "./blobs.ts";
import type { Database } from "./database.ts";
import { conflict } from "./errors.ts";

interface VersionRow {
  version: number;
  digest: string;
  record: string;
  detail: string;
}

export class Datasets {
  readonly #database: Database;
  readonly #blobs: Blobs;

  constructor(database: Database, blobs: Blobs) {
    this.#database = database;
    this.#blobs = blobs;
  }

  read(namespace: string, name: string): DatasetRecord {
    const sql = "SELECT record FROM dataset_versions WHERE namespace = ? AND name = ? ORDER BY version DESC";
    const versions = this.#database
      .all<{ record: string }>(sql, namespace, name)
      .map(({ record }) => JSON.parse(record) as DatasetVersion);
    const row = this.#database.get<{ current: number }>(
      "SELECT current FROM datasets WHERE namespace = ? AND name = ?",
      namespace,
      name,
    );
    return { versions, ...(row ? { current: row.current } : {}) };
  }

  /** A version by its number or digest. */
  detail(namespace: string, name: string, version: string): DatasetVersionDetail | undefined {
    const row = this.#database.get<VersionRow>(
      "SELECT * FROM dataset_versions WHERE namespace = ? AND name = ? AND (digest = ? OR CAST(version AS TEXT) = ?)",
      namespace,
      name,
      version,
      version,
    );
    return (
      row && {
        ...(JSON.parse(row.record) as DatasetVersion),
        ...(JSON.parse(row.detail) as object as DatasetVersionDetail),
      }
    );
  }

  /** The same digest is the same version; it becomes current either way. */
  register(namespace: string, name: string, input: DatasetVersionInput): { version: DatasetVersion; created: boolean } {
    const { files, profile, retain, ...rest } = input;
    const expected = manifestDigest(files);
    if (input.digest !== expected) throw conflict(`digest: the files' manifest has ${expected}, not ${input.digest}`);
    return this.#database.transaction(() => {
      const existing = this.#database.get<VersionRow>(
        "SELECT * FROM dataset_versions WHERE namespace = ? AND name = ? AND digest = ?",
        namespace,
        name,
        input.digest,
      );
      if (existing) {
        this.#setCurrent(namespace, name, existing.version);
        return { version: JSON.parse(existing.record) as DatasetVersion, created: false };
      }
      const last = this.#database.get<{ last_version: number }>(
        "SELECT last_version FROM datasets WHERE namespace = ? AND name = ?",
        namespace,
        name,
      );
      const number = (last?.last_version ?? 0) + 1;
      const version: DatasetVersion = { ...rest, version: number, createdAt: new Date().toISOString() };
      this.#blobs.refer(namespace, owner(name, number), files);
      this.#database.run(
        "INSERT INTO dataset_versions VALUES (?, ?, ?, ?, ?, ?)",
        namespace,
        name,
        number,
        input.digest,
        JSON.stringify(version),
        JSON.stringify({ files, profile }),
      );
      this.#database.run(
        `INSERT INTO datasets VALUES (?, ?, ?, ?)
           ON CONFLICT (namespace, name) DO UPDATE SET last_version = excluded.last_version`,
        namespace,
        name,
        number,
        number,
      );
      this.#setCurrent(namespace, name, number);
      this.#retire(namespace, name, retain);
      return { version, created: true };
    });
  }

  #setCurrent(namespace: string, name: string, version: number): void {
    this.#database.run("UPDATE datasets SET current = ? WHERE namespace = ? AND name = ?", version, namespace, name);
  }

  /** Forgets versions past the newest `retain` that nothing was made from and that are not current. */
  #retire(namespace: string, name: string, retain: number): void {
    const old = this.#database.all<{ version: number }>(
      `SELECT version FROM dataset_versions AS v
       WHERE namespace = ?1 AND name = ?2
         AND version NOT IN (SELECT version FROM dataset_versions WHERE namespace = ?1 AND name = ?2
                             ORDER BY version DESC LIMIT ?3)
         AND version != (SELECT current FROM datasets WHERE namespace = ?1 AND name = ?2)
         AND NOT EXISTS (SELECT 1 FROM run_inputs AS r
                         WHERE r.namespace = ?1 AND r.dataset = ?2 AND r.digest = v.digest)
         AND NOT EXISTS (SELECT 1 FROM evaluations AS e
                         WHERE e.namespace = ?1 AND e.dataset = ?2 AND e.dataset_digest = v.digest)`,
      namespace,
      name,
      retain,
    );
    for (const { version } of old) {
      this.#blobs.release(namespace, owner(name, version));
      this.#database.run(
        "DELETE FROM dataset_versions WHERE namespace = ? AND name = ? AND version = ?",
        namespace,
        name,
        version,
      );
    }
  }
}

function owner(name: string, version: number): string {
  return `dataset/${name}/${version}`;
}
