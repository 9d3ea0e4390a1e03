import { join } from "node:path";
import { type DatasetVersion, manifestDigest } from "../../store/api.ts";
import { uploadFiles } from "../artifact/upload.ts";
import type { AgentContext } from "../context.ts";
import { Database } from "../table/database.ts";
import { profileTable } from "../table/profile.ts";
import { readRaw } from "../table/raw.ts";
import { splitNames } from "../table/split.ts";
import { makeTyped } from "../table/typed.ts";
import { writeSplits } from "../table/write.ts";
import type { DeriveTask } from "../tasks.ts";
import type { Derived } from "./transform.ts";

/** Splits, profiles and registers the derived rows. */
export async function registerDerived(
  context: AgentContext,
  task: DeriveTask,
  { file, columns, inputs }: Derived,
): Promise<DatasetVersion> {
  const { work } = context.paths;
  const rule =
    task.splits && "shares" in task.splits
      ? { splits: task.splits.shares, seed: task.splits.seed }
      : { splits: [], seed: 0 };
  const database = await Database.open(join(work, "database"), [work]);
  try {
    const files = [{ path: "result.parquet", local: file }];
    const raw = await readRaw(database, { format: "Parquet", files, rule });
    const typed = await makeTyped(database, raw, columns);
    const splits = splitNames(rule);
    const written = await writeSplits(database, { raw, format: "Parquet", splits }, join(work, "splits"));
    const { profile, nullable } = await profileTable(database, typed);
    const entries = await uploadFiles(context, task.namespace, written);
    return await context.store.registerDatasetVersion(task.namespace, task.dataset, {
      digest: manifestDigest(entries),
      format: "Parquet",
      files: entries,
      rows: raw.rows,
      bytes: entries.reduce((sum, { size }) => sum + size, 0),
      splits: Object.fromEntries(written.map(({ split, rows }) => [split, rows])),
      columns: typed.map(({ name, type, role }) => ({
        ...{ name, type, nullable: nullable.has(name), ...(role ? { role } : {}) },
        ...(columns.some((column) => column.name === name && column.sensitive) ? { sensitive: true as const } : {}),
      })),
      profile,
      recipe: task.recipe,
      parents: inputs.map(({ parent }) => parent),
      retain: task.retain,
    });
  } finally {
    database.close();
  }
}
