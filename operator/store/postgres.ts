/** The metadata in a PostgreSQL that is there already, watched and backed up. The artifacts stay on the store's volume. */
import { DatabaseError, Pool, type PoolClient, types } from "pg";
import { type Database, migrate, type Queries, type Value } from "./database.ts";
import { HttpError } from "./errors.ts";

export interface PostgresAddress {
  /** `postgres://user:password@host:port/database`, with `?sslmode=verify-full` (the default), `require` or `disable`. */
  url: string;
  /** Certificates to trust instead of those that Node does, as PEM. */
  ca?: string | undefined;
}

/** Each runs once, in order; never edit one that has been released. Text is compared byte by byte, as SQLite does. */
const migrations = [
  `
  CREATE TABLE blobs (
    namespace TEXT, digest TEXT, size BIGINT NOT NULL, created_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, digest));
  CREATE TABLE blob_refs (
    namespace TEXT, owner TEXT, digest TEXT,
    PRIMARY KEY (namespace, owner, digest));
  CREATE INDEX blob_refs_by_digest ON blob_refs (namespace, digest);
  CREATE TABLE datasets (
    namespace TEXT, name TEXT, last_version INTEGER NOT NULL, current INTEGER, retain INTEGER NOT NULL,
    PRIMARY KEY (namespace, name));
  CREATE TABLE dataset_versions (
    namespace TEXT, name TEXT, version INTEGER, digest TEXT NOT NULL, record TEXT NOT NULL, detail TEXT NOT NULL,
    kept_until BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (namespace, name, version), UNIQUE (namespace, name, digest));
  CREATE TABLE dataset_parents (
    namespace TEXT, dataset TEXT, version INTEGER, parent TEXT, digest TEXT,
    PRIMARY KEY (namespace, dataset, version, parent, digest));
  CREATE INDEX dataset_parents_by_parent ON dataset_parents (namespace, parent, digest);
  CREATE TABLE runs (
    namespace TEXT, job TEXT, digest TEXT COLLATE "C", finished_at TEXT COLLATE "C" NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (namespace, job, digest));
  CREATE TABLE run_inputs (
    namespace TEXT, job TEXT, run TEXT, dataset TEXT, digest TEXT,
    PRIMARY KEY (namespace, job, run, dataset, digest));
  CREATE INDEX run_inputs_by_dataset ON run_inputs (namespace, dataset, digest);
  CREATE TABLE models (
    namespace TEXT, name TEXT, last_version INTEGER NOT NULL,
    PRIMARY KEY (namespace, name));
  CREATE TABLE model_versions (
    namespace TEXT, name TEXT, version INTEGER, digest TEXT NOT NULL, record TEXT NOT NULL, files TEXT NOT NULL,
    decision TEXT,
    PRIMARY KEY (namespace, name, version), UNIQUE (namespace, name, digest));
  CREATE TABLE evaluations (
    namespace TEXT, model TEXT, version INTEGER, digest TEXT, dataset TEXT NOT NULL, dataset_digest TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (namespace, model, version, digest));
  CREATE INDEX evaluations_by_dataset ON evaluations (namespace, dataset, dataset_digest);
  CREATE TABLE aliases (
    namespace TEXT, model TEXT, alias TEXT, version INTEGER NOT NULL,
    PRIMARY KEY (namespace, model, alias));
  `,
];

/** The advisory lock of whoever writes: "lemnis". */
const writing = 119_182_877_845_875;
/** Longer than the longest of our statements takes, shorter than a caller waits. */
const patienceMs = 10_000;
const int8 = 20;

export class Postgres implements Database {
  readonly #pool: Pool;
  readonly #direct: Queries;

  /** Fails when it is newer than this program, or does not answer. */
  static async open(address: PostgresAddress): Promise<Postgres> {
    const database = new Postgres(address);
    try {
      await migrate(database, migrations);
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  private constructor({ url, ca }: PostgresAddress) {
    const { hostname, port, username, password, pathname, searchParams } = new URL(url);
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    this.#pool = new Pool({
      ...{ host, port: Number(port || 5432), database: decodeURIComponent(pathname.slice(1)) },
      ...{ user: decodeURIComponent(username), password: decodeURIComponent(password) },
      ssl: tlsOf(searchParams.get("sslmode") ?? "verify-full", ca),
      ...{ application_name: "lemnis-store", max: 4, keepAlive: true, connectionTimeoutMillis: patienceMs / 2 },
      // The server gives up first, and says why; one that is cut off says nothing.
      ...{ statement_timeout: patienceMs, query_timeout: patienceMs * 1.5 },
      types: { getTypeParser: (oid, format) => (oid === int8 ? Number : types.getTypeParser(oid, format)) },
    });
    // Whoever asks next hears of a connection that broke.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
    this.#direct = queriesOf(this.#pool);
  }

  all<T>(sql: string, ...values: Value[]): Promise<T[]> {
    return this.#direct.all<T>(sql, ...values);
  }

  get<T>(sql: string, ...values: Value[]): Promise<T | undefined> {
    return this.#direct.get<T>(sql, ...values);
  }

  run(sql: string, ...values: Value[]): Promise<number> {
    return this.#direct.run(sql, ...values);
  }

  async transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch(rethrow);
    let isBroken = true;
    try {
      const queries = queriesOf(client);
      await queries.run("BEGIN");
      try {
        // What is read from here on is what the last who wrote has left.
        await queries.run("SELECT pg_advisory_xact_lock(?)", writing);
        const result = await work(queries);
        await queries.run("COMMIT");
        isBroken = false;
        return result;
      } catch (error) {
        isBroken = await queries.run("ROLLBACK").then(
          () => false,
          () => true,
        );
        throw error;
      }
    } finally {
      client.release(isBroken);
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

function queriesOf(client: Pool | PoolClient): Queries {
  const ask = (sql: string, values: Value[]) => client.query({ ...prepared(sql), values }).catch(rethrow);
  return {
    all: async <T>(sql: string, ...values: Value[]) => (await ask(sql, values)).rows as T[],
    get: async <T>(sql: string, ...values: Value[]) => (await ask(sql, values)).rows[0] as T | undefined,
    run: async (sql, ...values) => (await ask(sql, values)).rowCount ?? 0,
  };
}

/** Statements by their SQL, of which there is as much as in the program: a connection parses each once, by its name. */
const statements = new Map<string, { name: string; text: string }>();

function prepared(sql: string): { name: string; text: string } {
  const known = statements.get(sql);
  if (known) return known;
  let next = 1;
  // `?` and `?2` as PostgreSQL writes them.
  const text = sql.replaceAll(/\?(\d*)/g, (_, number: string) => `$${number || next++}`);
  const statement = { name: `lemnis-${statements.size}`, text };
  statements.set(sql, statement);
  return statement;
}

function tlsOf(mode: string, ca: string | undefined) {
  if (mode === "disable") return false;
  if (mode === "verify-full") return ca ? { ca } : true;
  return ca ? { ca, checkServerIdentity: () => undefined } : { rejectUnauthorized: false };
}

/** What is the database's doing, in words that hold nothing of the Secret; the cause is for the log. */
function rethrow(error: Error & { code?: string }): never {
  const away = (status: number, code: string, message: string) =>
    Object.assign(new HttpError(status, code, message), { cause: error });
  if (!(error instanceof DatabaseError)) {
    throw away(503, "DatabaseAway", `the store's PostgreSQL does not answer (${error.code ?? error.message})`);
  }
  const { code = "" } = error;
  if (code === "53100") throw away(507, "DiskFull", "the disk of the store's PostgreSQL is full: make it larger");
  if (/^28|^3D/.test(code)) {
    throw away(503, "DatabaseRefuses", "the store's PostgreSQL refuses what the Secret says: mend its url");
  }
  // It starts or stops, has no connection left, is a standby, or somebody holds its locks.
  if (/^(08|25006|40|53|55|57)/.test(code)) {
    throw away(503, "DatabaseAway", `the store's PostgreSQL cannot work now (${code})`);
  }
  throw error;
}
