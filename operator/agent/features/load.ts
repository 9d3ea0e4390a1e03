import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatasetVersionDetail } from "../../store/api.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import { Database, literal } from "../table/database.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { FeaturesTask } from "../tasks.ts";
import { openVersion } from "../version/open.ts";
import { type KeyColumn, type KeyType, keySql, keyTypes } from "./keys.ts";
import { checkMemory } from "./memory.ts";
import { maxRowBytes, RowIndex } from "./row-index.ts";

/** A version that is served: its newest row by key, as JSON. */
export interface Served {
  index: RowIndex;
  keys: readonly KeyColumn[];
  version: number;
  digest: string;
  revision?: number | undefined;
  createdAt: string;
  bytes: number;
}

/** Reads a version and keeps of each key the newest row: by the column with the role Timestamp, without one the last. */
export async function loadVersion(
  context: AgentContext,
  task: FeaturesTask,
  version: DatasetVersionDetail,
): Promise<Served> {
  const folder = join(context.paths.work, "features");
  const { namespace, dataset, location } = task;
  const keys = findKeys(task, version);
  await rm(folder, { recursive: true, force: true });
  // One thread: requests are answered beside it.
  const database = await Database.open(join(context.paths.work, "database"), [folder], { threads: 1 });
  try {
    const columns = await openVersion(context, { namespace, dataset, version, database, folder, location });
    const cells = keys.map(({ name }) => columns.find((column) => column.name === name)?.cell ?? "");
    // Neither JSON nor a number has a line break: the first ends the row.
    await database.run(
      `CREATE TABLE online AS SELECT ${rowSql(columns)} || chr(10) || ${keySql(cells)} AS text FROM data WHERE rowid IN (${newestSql(columns, cells)})`,
    );
    const sums = await database.row(
      "SELECT count(*) AS rows, coalesce(sum(strlen(text)), 0) AS bytes, coalesce(max(strlen(text)), 0) AS longest FROM online",
    );
    if (Number(sums.longest) > maxRowBytes) {
      throw permanent("SchemaViolation", `online: a row has ${sums.longest} bytes as JSON, more than ${maxRowBytes}`);
    }
    const bytes = RowIndex.bytes(Number(sums.rows), Number(sums.bytes));
    checkMemory({ rows: Number(sums.rows), bytes });
    const index = new RowIndex(Number(sums.rows));
    for await (const texts of database.stream("SELECT text FROM online")) {
      for (const text of texts as string[]) {
        const end = text.indexOf("\n");
        index.add(text.slice(end + 1), text.slice(0, end));
      }
    }
    index.seal();
    const { version: number, digest, revision, createdAt } = version;
    return { index, keys, version: number, digest, revision, createdAt, bytes };
  } finally {
    database.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function findKeys({ keys, dataset }: FeaturesTask, { columns, version }: DatasetVersionDetail): KeyColumn[] {
  return keys.map((name) => {
    const column = columns.find((candidate) => candidate.name === name);
    if (!column) {
      const names = columns.map(({ name }) => name).join(", ");
      throw permanent(
        "SchemaViolation",
        `online.keys: version ${version} of Dataset ${dataset} has no column ${name}; it has ${names}`,
      );
    }
    if (keyTypes.includes(column.type)) return { name, type: column.type as KeyType };
    throw permanent("SchemaViolation", `online.keys: ${name} is ${column.type}; a key is ${keyTypes.join(", ")}`);
  });
}

/** SQL: the rowids of the newest rows; of several at one instant, the last. */
function newestSql(columns: readonly TypedColumn[], keys: readonly string[]): string {
  const time = columns.find(({ role }) => role === "Timestamp");
  const known = keys.map((cell) => `${cell} IS NOT NULL`).join(" AND ");
  const newest = time
    ? `max({'known': ${time.cell} IS NOT NULL, 'seen': ${time.cell}, 'place': rowid}).place`
    : "max(rowid)";
  return `SELECT ${newest} FROM data WHERE ${known} GROUP BY ${keys.join(", ")}`;
}

/** SQL: a row as JSON. Integers keep all digits; what JSON has no number for (NaN, infinities) is null. */
function rowSql(columns: readonly TypedColumn[]): string {
  return `to_json({${columns.map((column) => `${literal(column.name)}: ${valueSql(column)}`).join(", ")}})::VARCHAR`;
}

function valueSql({ cell, type }: TypedColumn): string {
  if (type === "Double") return `CASE WHEN isfinite(${cell}) THEN ${cell} END`;
  if (type !== "Timestamp") return cell;
  const iso = `strftime(${cell}, '%Y-%m-%dT%H:%M:%S.%f')`;
  return `regexp_replace(${iso}, '\\.?0*$', '') || 'Z'`;
}
