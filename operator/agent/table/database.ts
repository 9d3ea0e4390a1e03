import { mkdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { chunks } from "../../store/chunks.ts";
import { mapConcurrent } from "../artifact/concurrent.ts";
import { databaseMemory } from "./memory.ts";

const aggregatesPerPass = 200;
/** Statements at a time; Node has four threads for them and all its files. */
const sideBySide = 3;

export type Row = Record<string, unknown>;

/** A DuckDB of one task: on disk, so that data may be larger than memory, and closed to all folders but its own. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #threads: number;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, threads: number) {
    this.#instance = instance;
    this.#connection = connection;
    this.#threads = threads;
  }

  /**
   * `folders` are those that queries may read and write, beside the database's own `folder`, which is emptied. With one
   * thread, sums of floating-point numbers come out the same each time.
   */
  static async open(
    folder: string,
    folders: readonly string[],
    { threads = Math.min(availableParallelism(), 8) } = {},
  ): Promise<Database> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const instance = await DuckDBInstance.create(join(folder, "table.duckdb"), {
      threads: `${threads}`,
      memory_limit: `${databaseMemory()}B`,
      temp_directory: join(folder, "spill"),
      preserve_insertion_order: "true",
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
      allow_community_extensions: "false",
    });
    const database = new Database(instance, await instance.connect(), threads);
    await database.run("SET GLOBAL TimeZone = 'UTC'");
    // What runTold asks for is known only with the bar, which needs not be printed.
    await database.run("SET enable_progress_bar = true");
    await database.run("SET enable_progress_bar_print = false");
    await database.run(`SET allowed_directories = [${[folder, ...folders].map(literal).join(", ")}]`);
    await database.run("SET enable_external_access = false");
    await database.run("SET allowed_configs = ['threads']");
    await database.run("SET lock_configuration = true");
    return database;
  }

  /** Runs a statement; the number of rows that it changed. */
  async run(sql: string): Promise<number> {
    return (await this.#connection.run(sql)).rowsChanged;
  }

  /**
   * Runs statements side by side, each in one thread of its own: with more, the row groups of a Parquet file depend on
   * which thread was faster.
   */
  async runEach(statements: readonly string[]): Promise<number[]> {
    await this.run("SET threads = 1");
    try {
      return await mapConcurrent(statements, Math.min(this.#threads, sideBySide), async (sql) => {
        const connection = await this.#instance.connect();
        try {
          return (await connection.run(sql)).rowsChanged;
        } finally {
          connection.closeSync();
        }
      });
    } finally {
      await this.run(`SET threads = ${this.#threads}`);
    }
  }

  /** Runs a statement; `told` hears now and then how much of it is done, from 0 to 1. */
  async runTold(sql: string, told: (share: number) => void): Promise<number> {
    const telling = setInterval(() => {
      const { percentage } = this.#connection.progress;
      if (percentage >= 0) told(percentage / 100);
    }, 1000);
    try {
      return await this.run(sql);
    } finally {
      clearInterval(telling);
    }
  }

  /** As `run`, but ended after so many milliseconds: undefined then. */
  async runWithin(milliseconds: number, sql: string): Promise<number | undefined> {
    return this.#within(milliseconds, () => this.run(sql));
  }

  /** As `rows`, but ended after so many milliseconds: undefined then. */
  async rowsWithin(milliseconds: number, sql: string): Promise<Row[] | undefined> {
    return this.#within(milliseconds, () => this.rows(sql));
  }

  async #within<Result>(milliseconds: number, work: () => Promise<Result>): Promise<Result | undefined> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#connection.interrupt();
    }, milliseconds);
    try {
      return await work();
    } catch (error) {
      if (late) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The one column of a query, chunk by chunk, so that it may be longer than memory. */
  async *stream(sql: string): AsyncGenerator<unknown[]> {
    const result = await this.#connection.stream(sql);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) return;
      yield chunk.getColumnValues(0);
    }
  }

  /** All rows of a query, 64-bit integers as bigint. */
  async rows(sql: string): Promise<Row[]> {
    return (await this.#connection.runAndReadAll(sql)).getRowObjectsJS();
  }

  async row(sql: string): Promise<Row> {
    const [row] = await this.rows(sql);
    if (!row) throw new Error("the query returned no row");
    return row;
  }

  /** One row of many aggregates, each with its name. DuckDB plans long lists in quadratic time, so they are cut. */
  async aggregate(expressions: readonly string[], relation: string): Promise<Row> {
    const merged: Row = {};
    for (const part of chunks(expressions, aggregatesPerPass)) {
      Object.assign(merged, await this.row(`SELECT ${part.join(", ")} FROM ${relation}`));
    }
    return merged;
  }

  /** The columns of a query, in its order. */
  async columns(sql: string): Promise<unknown[][]> {
    return (await this.#connection.runAndReadAll(sql)).getColumnsJS();
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

/** A name as SQL writes it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL writes it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Files as DuckDB's readers take them: in their paths `*`, `?` and `[` would be patterns. */
export function pathList(files: readonly { local: string }[]): string {
  return `[${files.map(({ local }) => literal(local.replace(/[*?[]/g, "[$&]"))).join(", ")}]`;
}
