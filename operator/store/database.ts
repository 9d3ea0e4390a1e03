/** The metadata, in SQL that SQLite and PostgreSQL both know: `?` stands for the next value, `?2` for the second. */

export type Value = string | number | null;

export interface Queries {
  all<T>(sql: string, ...values: Value[]): Promise<T[]>;
  get<T>(sql: string, ...values: Value[]): Promise<T | undefined>;
  /** How many rows it changed. */
  run(sql: string, ...values: Value[]): Promise<number>;
}

/** Every acknowledged write is on disk. */
export interface Database extends Queries {
  /** All of the work or none of it, and no other transaction meanwhile. The work asks what it is given, and nothing else. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Runs each step that this database has not had, in order. */
export function migrate(database: Database, steps: readonly string[]): Promise<void> {
  return database.transaction(async (queries) => {
    await queries.run("CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY)");
    const done = (await queries.get<{ last: number | null }>("SELECT max(id) AS last FROM migrations"))?.last ?? 0;
    if (done > steps.length) {
      throw new Error(`the store's database has version ${done}, this program knows ${steps.length}: run a newer one`);
    }
    for (const [index, step] of steps.entries()) {
      if (index < done) continue;
      for (const statement of step.split(";")) if (statement.trim()) await queries.run(statement);
      await queries.run("INSERT INTO migrations VALUES (?)", index + 1);
    }
  });
}
