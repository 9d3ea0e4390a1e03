import { isDeepStrictEqual } from "node:util";
import {
  type DatasetRecord,
  type DatasetVersion,
  type DatasetVersionDetail,
  type DatasetVersionInput,
  manifestDigest,
} from "./api.ts";
import type { Blobs } from "./blobs.ts";
import type { Database, Queries } from "./database.ts";
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

  async read(namespace: string, name: string): Promise<DatasetRecord> {
    // First, so that the current version is among those that are read next.
    const row = await findDataset(this.#database, namespace, name);
    const sql = "SELECT record FROM dataset_versions WHERE namespace = ? AND name = ? ORDER BY version DESC";
    const rows = await this.#database.all<{ record: string }>(sql, namespace, name);
    const versions = rows.map(({ record }) => JSON.parse(record) as DatasetVersion);
    return { versions, ...(row ? { current: row.current } : {}) };
  }

  /** A version by its number or digest; whoever asks for it finds it again for a day. */
  async detail(namespace: string, name: string, version: string): Promise<DatasetVersionDetail | undefined> {
    const row = await this.#find(namespace, name, version);
    if (!row) return undefined;
    await this.#retention.asked(namespace, name, row.version);
    return {
      ...(JSON.parse(row.record) as DatasetVersion),
      ...(JSON.parse(row.detail) as object as DatasetVersionDetail),
    };
  }

  /** A run that waits for its turn will ask for this version, if it is there. */
  async keepForRun(namespace: string, name: string, version: string): Promise<void> {
    const row = await this.#find(namespace, name, version);
    if (row) await this.#retention.awaited(namespace, name, row.version);
  }

  #find(namespace: string, name: string, version: string): Promise<VersionRow | undefined> {
    return this.#database.get<VersionRow>(
      "SELECT * FROM dataset_versions WHERE namespace = ? AND name = ? AND (digest = ? OR CAST(version AS TEXT) = ?)",
      namespace,
      name,
      version,
      version,
    );
  }

  /** The same digest is the same version; it becomes current either way, and is what was said of it last. */
  async register(
    namespace: string,
    name: string,
    input: DatasetVersionInput,
  ): Promise<{ version: DatasetVersion; created: boolean }> {
    checkFiles(input);
    return this.#database.transaction(async (queries) => {
      await checkParents(queries, namespace, input);
      const existing = await findVersion(queries, { namespace, name, digest: input.digest });
      const before = await findDataset(queries, namespace, name);
      const last = before?.last_version ?? 0;
      const number = existing?.version ?? last + 1;
      const told = existing && (JSON.parse(existing.record) as DatasetVersion);
      const createdAt = told?.createdAt ?? new Date().toISOString();
      const written = { namespace, name, number, createdAt, revision: revisionOf(told, input) };
      const version = await this.#write(queries, written, input);
      if (before && before.current !== number) {
        await this.#retention.superseded(queries, namespace, name, before.current);
      }
      await queries.run(
        `INSERT INTO datasets (namespace, name, last_version, current, retain) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (namespace, name) DO UPDATE
           SET last_version = excluded.last_version, current = excluded.current, retain = excluded.retain`,
        namespace,
        name,
        Math.max(last, number),
        number,
        input.retain,
      );
      await this.#retention.retire(queries, namespace, name);
      return { version, created: existing === undefined };
    });
  }

  /** How many versions are to stay, from a look that found nothing new. */
  retain(namespace: string, name: string, retain: number): Promise<void> {
    return this.#database.transaction(async (queries) => {
      const sql = "UPDATE datasets SET retain = ?1 WHERE namespace = ?2 AND name = ?3 AND retain != ?1";
      if ((await queries.run(sql, retain, namespace, name)) > 0) await this.#retention.retire(queries, namespace, name);
    });
  }

  async #write(
    queries: Queries,
    { namespace, name, number, createdAt, revision }: Written,
    input: DatasetVersionInput,
  ): Promise<DatasetVersion> {
    const { files, origins, etags, profile, missing, retain: _, ...rest } = input;
    const version: DatasetVersion = { ...rest, version: number, createdAt, ...(revision ? { revision } : {}) };
    const owner = versionOwner(name, number);
    await this.#blobs.release(queries, namespace, owner);
    if (!origins) await this.#blobs.refer(queries, namespace, owner, files);
    await queries.run(
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
    await queries.run(parentsOf, namespace, name, number);
    for (const parent of input.parents ?? []) {
      const sql = "INSERT INTO dataset_parents VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
      await queries.run(sql, namespace, name, number, parent.dataset, parent.digest);
    }
    return version;
  }
}

/** What a version was derived from is here for as long as it is itself. */
async function checkParents(queries: Queries, namespace: string, { parents = [] }: DatasetVersionInput): Promise<void> {
  for (const { dataset, digest } of parents) {
    if (!(await findVersion(queries, { namespace, name: dataset, digest })))
      throw conflict(`parents: ${dataset} has no version ${digest} any more: derive from its current one`);
  }
}

function findDataset(queries: Queries, namespace: string, name: string): Promise<DatasetRow | undefined> {
  const sql = "SELECT current, last_version FROM datasets WHERE namespace = ? AND name = ?";
  return queries.get<DatasetRow>(sql, namespace, name);
}

function findVersion(
  queries: Queries,
  { namespace, name, digest }: { namespace: string; name: string; digest: string },
): Promise<VersionRow | undefined> {
  const sql = "SELECT * FROM dataset_versions WHERE namespace = ? AND name = ? AND digest = ?";
  return queries.get<VersionRow>(sql, namespace, name, digest);
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
