import { isDeepStrictEqual } from "node:util";
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
import { type Retention, versionOwner } from "./retention.ts";

interface VersionRow {
  version: number;
  digest: string;
  record: string;
  detail: string;
}
interface Written {
  namespace: string;
  name: string;
  number: number;
  createdAt: string;
  revision: number | undefined;
}
interface DatasetRow {
  current: number;
  last_version: number;
}

export class Datasets {
  readonly #database: Database;
  readonly #blobs: Blobs;
  readonly #retention: Retention;

  constructor(database: Database, blobs: Blobs, retention: Retention) {
    this.#database = database;
    this.#blobs = blobs;
    this.#retention = retention;
  }

  read(namespace: string, name: string): DatasetRecord {
    const sql = "SELECT record FROM dataset_versions WHERE namespace = ? AND name = ? ORDER BY version DESC";
    const versions = this.#database
      .all<{ record: string }>(sql, namespace, name)
      .map(({ record }) => JSON.parse(record) as DatasetVersion);
    const row = this.#dataset(namespace, name);
    return { versions, ...(row ? { current: row.current } : {}) };
  }

  /** A version by its number or digest; whoever asks for it finds it again for a day. */
  detail(namespace: string, name: string, version: string): DatasetVersionDetail | undefined {
    const row = this.#find(namespace, name, version);
    if (!row) return undefined;
    this.#retention.asked(namespace, name, row.version);
    return {
      ...(JSON.parse(row.record) as DatasetVersion),
      ...(JSON.parse(row.detail) as object as DatasetVersionDetail),
    };
  }

  /** A run that waits for its turn will ask for this version, if it is there. */
  keepForRun(namespace: string, name: string, version: string): void {
    const row = this.#find(namespace, name, version);
    if (row) this.#retention.awaited(namespace, name, row.version);
  }

  #find(namespace: string, name: string, version: string): VersionRow | undefined {
    return this.#database.get<VersionRow>(
      "SELECT * FROM dataset_versions WHERE namespace = ? AND name = ? AND (digest = ? OR CAST(version AS TEXT) = ?)",
      namespace,
      name,
      version,
      version,
    );
  }

  /** The same digest is the same version; it becomes current either way, and is what was said of it last. */
  register(namespace: string, name: string, input: DatasetVersionInput): { version: DatasetVersion; created: boolean } {
    checkFiles(input);
    return this.#database.transaction(() => {
      this.#checkParents(namespace, input);
      const existing = this.#version(namespace, name, input.digest);
      const before = this.#dataset(namespace, name);
      const number = existing?.version ?? (before?.last_version ?? 0) + 1;
      const told = existing && (JSON.parse(existing.record) as DatasetVersion);
      const createdAt = told?.createdAt ?? new Date().toISOString();
      const version = this.#write({ namespace, name, number, createdAt, revision: revisionOf(told, input) }, input);
      if (before && before.current !== number) this.#retention.superseded(namespace, name, before.current);
      this.#database.run(
        `INSERT INTO datasets (namespace, name, last_version, current, retain) VALUES (?1, ?2, ?3, ?3, ?4)
           ON CONFLICT (namespace, name) DO UPDATE
           SET last_version = max(last_version, ?3), current = ?3, retain = ?4`,
        namespace,
        name,
        number,
        input.retain,
      );
      this.#retention.retire(namespace, name);
      return { version, created: existing === undefined };
    });
  }

  /** How many versions are to stay, from a look that found nothing new. */
  retain(namespace: string, name: string, retain: number): void {
    this.#database.transaction(() => {
      const sql = "UPDATE datasets SET retain = ?1 WHERE namespace = ?2 AND name = ?3 AND retain != ?1";
      if (this.#database.run(sql, retain, namespace, name) > 0) this.#retention.retire(namespace, name);
    });
  }

  #write({ namespace, name, number, createdAt, revision }: Written, input: DatasetVersionInput): DatasetVersion {
    const { files, origins, etags, profile, missing, retain: _, ...rest } = input;
    const version: DatasetVersion = { ...rest, version: number, createdAt, ...(revision ? { revision } : {}) };
    const owner = versionOwner(name, number);
    this.#blobs.release(namespace, owner);
    if (!origins) this.#blobs.refer(namespace, owner, files);
    this.#database.run(
      `INSERT INTO dataset_versions (namespace, name, version, digest, record, detail) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (namespace, name, version) DO UPDATE SET record = excluded.record, detail = excluded.detail`,
      namespace,
      name,
      number,
      input.digest,
      JSON.stringify(version),
      JSON.stringify({ files, origins, etags, profile, missing }),
    );
    const parentsOf = "DELETE FROM dataset_parents WHERE namespace = ? AND dataset = ? AND version = ?";
    this.#database.run(parentsOf, namespace, name, number);
    for (const parent of input.parents ?? []) {
      const sql = "INSERT OR IGNORE INTO dataset_parents VALUES (?, ?, ?, ?, ?)";
      this.#database.run(sql, namespace, name, number, parent.dataset, parent.digest);
    }
    return version;
  }

  /** What a version was derived from is here for as long as it is itself. */
  #checkParents(namespace: string, { parents = [] }: DatasetVersionInput): void {
    for (const { dataset, digest } of parents) {
      if (!this.#version(namespace, dataset, digest))
        throw conflict(`parents: ${dataset} has no version ${digest} any more: derive from its current one`);
    }
  }

  #dataset(namespace: string, name: string): DatasetRow | undefined {
    const sql = "SELECT current, last_version FROM datasets WHERE namespace = ? AND name = ?";
    return this.#database.get<DatasetRow>(sql, namespace, name);
  }

  #version(namespace: string, name: string, digest: string): VersionRow | undefined {
    const sql = "SELECT * FROM dataset_versions WHERE namespace = ? AND name = ? AND digest = ?";
    return this.#database.get<VersionRow>(sql, namespace, name, digest);
  }
}

/** Whoever has read the version's bytes reads them again when they are to be read in another way. */
function revisionOf(told: DatasetVersion | undefined, { format, csv, columns }: DatasetVersionInput) {
  const isSame = !told || isDeepStrictEqual([told.format, told.csv, told.columns], [format, csv, columns]);
  return isSame ? told?.revision : (told.revision ?? 1) + 1;
}

/** The digest is that of the files; files that stay where they are have an origin each. */
function checkFiles({ digest, files, origins }: DatasetVersionInput): void {
  const expected = manifestDigest(files);
  if (digest !== expected) throw conflict(`digest: the files' manifest has ${expected}, not ${digest}`);
  if (!origins) return;
  const known = new Set(origins.map(({ path }) => path));
  const missing = files.find(({ path }) => !known.has(path));
  if (missing) throw conflict(`origins: there is none for ${missing.path}; give one a file`);
  if (origins.length !== files.length) throw conflict("origins: there are more than files; give one a file");
}
