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
/** Records of versions may have megabytes each. */
const rowsAtOnce = 100;

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
  const former = await Sqlite.open(folder);
  if (await isEmpty(database)) {
    const rows = await database.transaction((queries) => copy(former, queries));
    logger.info({ rows }, "lemnis.db is in PostgreSQL now");
  }
  // All that it has is in the one file then.
  await former.close();
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
async function copy(from: Sqlite, to: Queries): Promise<number> {
  let count = 0;
  for (const [table, columns] of Object.entries(tables)) {
    const list = columns.join(", ");
    const row = `(${columns.map(() => "?").join(", ")})`;
    const write = async (rows: readonly Record<string, Value>[]) => {
      const values = rows.flatMap((cells) => columns.map((column) => cells[column] ?? null));
      await to.run(`INSERT INTO ${table} (${list}) VALUES ${rows.map(() => row).join(", ")}`, ...values);
      count += rows.length;
    };
    const waiting: Record<string, Value>[] = [];
    for (const cells of from.each<Record<string, Value>>(`SELECT ${list} FROM ${table}`)) {
      waiting.push(cells);
      if (waiting.length === rowsAtOnce) await write(waiting.splice(0));
    }
    if (waiting.length > 0) await write(waiting);
  }
  return count;
}
