/** The metadata in a file on the store's volume. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type Database, migrate, type Queries, type Value } from "./database.ts";

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

export class Sqlite implements Database {
  readonly #db: DatabaseSync;
  /** By their SQL, of which there is as much as in the program. */
  readonly #statements = new Map<string, StatementSync>();
  /** Inside a transaction, or where none can be. */
  readonly #direct: Queries;
  /** Resolves when all that was asked before is done: one connection has one transaction. */
  #last: Promise<unknown> = Promise.resolve();

  /** Opens or makes `<folder>/lemnis.db`. Fails when the file is damaged or newer than this program. */
  static async open(folder: string): Promise<Sqlite> {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "lemnis.db");
    const database = new Sqlite(file);
    try {
      database.#check();
      await migrate(database, migrations);
      return database;
    } catch (error) {
      database.#db.close();
      if (!isDamage(error)) throw error;
      throw new Error(`${file} is damaged (${(error as Error).message}): restore the volume from a backup`);
    }
  }

  private constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#direct = {
      all: async <T>(sql: string, ...values: Value[]) => this.#prepare(sql).all(...values) as T[],
      get: async <T>(sql: string, ...values: Value[]) => this.#prepare(sql).get(...values) as T | undefined,
      run: async (sql, ...values) => Number(this.#prepare(sql).run(...values).changes),
    };
  }

  all<T>(sql: string, ...values: Value[]): Promise<T[]> {
    return this.#inTurn(() => this.#direct.all<T>(sql, ...values));
  }

  get<T>(sql: string, ...values: Value[]): Promise<T | undefined> {
    return this.#inTurn(() => this.#direct.get<T>(sql, ...values));
  }

  run(sql: string, ...values: Value[]): Promise<number> {
    return this.#inTurn(() => this.#direct.run(sql, ...values));
  }

  /** Row by row. Nobody may use it meanwhile. */
  each<T>(sql: string): IterableIterator<T> {
    return this.#db.prepare(sql).iterate() as IterableIterator<T>;
  }

  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      this.#db.exec("BEGIN IMMEDIATE");
      try {
        const result = await work(this.#direct);
        this.#db.exec("COMMIT");
        return result;
      } catch (error) {
        // A full disk makes SQLite roll back by itself.
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.#inTurn(async () => this.#db.close());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Every page is looked at: a damaged one would else be found when it is needed, by a store that has gone on writing. */
  #check(): void {
    this.#db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000");
    const found = this.#prepare("PRAGMA quick_check(1)").get()?.quick_check;
    if (found !== "ok") throw new Error(`database disk image is malformed: ${String(found).replaceAll(/\s+/g, " ")}`);
  }
}

/** True of SQLite's errors that say that its file is not as it wrote it. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && /disk image is malformed|file is not a database/.test(error.message);
}
