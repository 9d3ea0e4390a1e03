/** The metadata: SQLite on the store's volume. Every acknowledged write is on disk. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

/** Each runs once, in order; never edit one that has been released. */
const migrations = [
  `
  CREATE TABLE blobs (
    namespace TEXT, digest TEXT, size INTEGER NOT NULL, created_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, digest)) WITHOUT ROWID;
  CREATE TABLE blob_refs (
    namespace TEXT, owner TEXT, digest TEXT,
    PRIMARY KEY (namespace, owner, digest)) WITHOUT ROWID;
  CREATE INDEX blob_refs_by_digest ON blob_refs (namespace, digest);
  CREATE TABLE datasets (
    namespace TEXT, name TEXT, last_version INTEGER NOT NULL, current INTEGER,
    PRIMARY KEY (namespace, name)) WITHOUT ROWID;
  CREATE TABLE dataset_versions (
    namespace TEXT, name TEXT, version INTEGER, digest TEXT NOT NULL, record TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (namespace, name, version), UNIQUE (namespace, name, digest)) WITHOUT ROWID;
  CREATE TABLE runs (
    namespace TEXT, job TEXT, digest TEXT, finished_at TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (namespace, job, digest)) WITHOUT ROWID;
  CREATE TABLE run_inputs (
    namespace TEXT, job TEXT, run TEXT, dataset TEXT, digest TEXT,
    PRIMARY KEY (namespace, job, run, dataset, digest)) WITHOUT ROWID;
  CREATE INDEX run_inputs_by_dataset ON run_inputs (namespace, dataset, digest);
  CREATE TABLE models (
    namespace TEXT, name TEXT, last_version INTEGER NOT NULL,
    PRIMARY KEY (namespace, name)) WITHOUT ROWID;
  CREATE TABLE model_versions (
    namespace TEXT, name TEXT, version INTEGER, digest TEXT NOT NULL, record TEXT NOT NULL, files TEXT NOT NULL,
    decision TEXT,
    PRIMARY KEY (namespace, name, version), UNIQUE (namespace, name, digest)) WITHOUT ROWID;
  CREATE TABLE evaluations (
    namespace TEXT, model TEXT, version INTEGER, digest TEXT, dataset TEXT NOT NULL, dataset_digest TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (namespace, model, version, digest)) WITHOUT ROWID;
  CREATE INDEX evaluations_by_dataset ON evaluations (namespace, dataset, dataset_digest);
  CREATE TABLE aliases (
    namespace TEXT, model TEXT, alias TEXT, version INTEGER NOT NULL,
    PRIMARY KEY (namespace, model, alias)) WITHOUT ROWID;
  `,
  `
  ALTER TABLE datasets ADD COLUMN retain INTEGER NOT NULL DEFAULT 10;
  ALTER TABLE dataset_versions ADD COLUMN kept_until INTEGER NOT NULL DEFAULT 0;
  UPDATE dataset_versions SET record = json_remove(record, '$.source.etag');
  CREATE TABLE dataset_parents (
    namespace TEXT, dataset TEXT, version INTEGER, parent TEXT, digest TEXT,
    PRIMARY KEY (namespace, dataset, version, parent, digest)) WITHOUT ROWID;
  CREATE INDEX dataset_parents_by_parent ON dataset_parents (namespace, parent, digest);
  `,
];

export class Database {
  readonly #db: DatabaseSync;
  /** By their SQL, of which there is as much as in the program. */
  readonly #statements = new Map<string, StatementSync>();

  /** Opens or makes `<folder>/lemnis.db`. Throws when the file is damaged or newer than this program. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "lemnis.db");
    this.#db = new DatabaseSync(file);
    try {
      this.#db.exec(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000",
      );
      this.#check();
      this.#migrate();
    } catch (error) {
      this.#db.close();
      if (!isDamage(error)) throw error;
      throw new Error(`${file} is damaged (${(error as Error).message}): restore the volume from a backup`);
    }
  }

  all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#prepare(sql).all(...values) as T[];
  }

  get<T>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#prepare(sql).get(...values) as T | undefined;
  }

  /** How many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** All of the work or none of it. The work is synchronous, so transactions of one process never mix. */
  transaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk makes SQLite roll back by itself.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }

  /** Every page is looked at: a damaged one would else be found when it is needed, by a store that has gone on writing. */
  #check(): void {
    const found = this.get<{ quick_check: string }>("PRAGMA quick_check(1)")?.quick_check;
    if (found !== "ok") throw new Error(`database disk image is malformed: ${found?.replaceAll(/\s+/g, " ")}`);
  }

  #migrate(): void {
    this.#db.exec("CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY)");
    const done = this.get<{ last: number | null }>("SELECT max(id) AS last FROM migrations")?.last ?? 0;
    if (done > migrations.length) {
      throw new Error(
        `the store's database has version ${done}, this program knows ${migrations.length}: run a newer one`,
      );
    }
    migrations.slice(done).forEach((sql, index) => {
      this.transaction(() => {
        this.#db.exec(sql);
        this.run("INSERT INTO migrations VALUES (?)", done + index + 1);
      });
    });
  }
}

/** True of SQLite's errors that say that its file is not as it wrote it. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && /disk image is malformed|file is not a database/.test(error.message);
}
