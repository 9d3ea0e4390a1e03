/** Which database holds the metadata, and how it moves from the one to the other. */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Database, Queries, Value } from "./database.ts";
import { Postgres, type PostgresAddress } from "./postgres.ts";
import { Sqlite } from "./sqlite.ts";

/** With the columns of each, and in no special order: no table refers to another. */
const tables = {
  blobs: ["namespace", "digest", "size", "created_at"],
  blob_refs: ["namespace", "owner", "digest"],
  datasets: ["namespace", "name", "last_version", "current", "retain"],
  dataset_versions: ["namespace", "name", "version", "digest", "record", "detail", "kept_until"],
  dataset_parents: ["namespace", "dataset", "version", "parent", "digest"],
  runs: ["namespace", "job", "digest", "finished_at", "record"],
  run_inputs: ["namespace", "job", "run", "dataset", "digest"],
  models: ["namespace", "name", "last_version"],
  model_versions: ["namespace", "name", "version", "digest", "record", "files", "decision"],
  evaluations: ["namespace", "model", "version", "digest", "dataset", "dataset_digest", "record"],
  aliases: ["namespace", "model", "alias", "version"],
};
/** PostgreSQL takes 65,535 values at once. */
const rowsAtOnce = 1_000;

interface Opening {
  /** The store's volume. */
  folder: string;
  postgres?: PostgresAddress | undefined;
  logger: Logger;
}

/** A file that was the database before PostgreSQL is moved there when that is empty, and is set aside. */
export async function openDatabase({ folder, postgres, logger }: Opening): Promise<Database> {
  if (!postgres) return Sqlite.open(folder);
  const file = join(folder, "lemnis.db");
  const database = await Postgres.open(postgres);
  if (!existsSync(file)) return database;
  if (await isEmpty(database)) {
    const former = await Sqlite.open(folder);
    const rows = await database.transaction((queries) => copy(former, queries));
    await former.close();
    logger.info({ rows }, "lemnis.db is in PostgreSQL now");
  }
  const aside = `${file}.${new Date().toISOString().replaceAll(":", "-")}`;
  renameSync(file, aside);
  logger.info({ aside }, "PostgreSQL has the metadata: lemnis.db is set aside, and not used any more");
  return database;
}

async function isEmpty(database: Database): Promise<boolean> {
  for (const table of Object.keys(tables)) {
    if (await database.get(`SELECT 1 AS found FROM ${table} LIMIT 1`)) return false;
  }
  return true;
}

/** All rows of all tables; how many they are. */
async function copy(from: Database, to: Queries): Promise<number> {
  let count = 0;
  for (const [table, columns] of Object.entries(tables)) {
    const list = columns.join(", ");
    const rows = await from.all<Record<string, Value>>(`SELECT ${list} FROM ${table}`);
    for (let start = 0; start < rows.length; start += rowsAtOnce) {
      const some = rows.slice(start, start + rowsAtOnce);
      const places = some.map(() => `(${columns.map(() => "?").join(", ")})`).join(", ");
      const values = some.flatMap((row) => columns.map((column) => row[column] ?? null));
      await to.run(`INSERT INTO ${table} (${list}) VALUES ${places}`, ...values);
      count += some.length;
    }
  }
  return count;
}
