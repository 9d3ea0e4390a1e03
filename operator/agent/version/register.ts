import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type DatasetFormat, type DatasetVersionInput, manifestDigest, type Origin } from "../../store/api.ts";
import type { LocalFile } from "../artifact/files.ts";
import { uploadFiles } from "../artifact/upload.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import { Database } from "../table/database.ts";
import { profileTable } from "../table/profile.ts";
import { readRaw, type TableFormat } from "../table/raw.ts";
import { splitNames } from "../table/split.ts";
import { makeTyped } from "../table/typed.ts";
import { writeSplits } from "../table/write.ts";
import type { SnapshotTask } from "../tasks.ts";

/** What a version is made of, wherever it comes from: local files of one format. A derived version is one Parquet file. */
export interface VersionSource {
  format: DatasetFormat;
  csv?: SnapshotTask["csv"];
  /** By path; never empty. `digest` and `size`, where they are known, save reading the file once more. */
  files: readonly (LocalFile & { digest?: string; size?: number })[];
  /** One for each file, by the file's path, when the bytes stay where they are. */
  origins?: readonly Origin[];
  facts: Pick<DatasetVersionInput, "source" | "parents">;
}

/** What snapshots and derived Datasets ask of their versions. */
export type VersionTask = Pick<
  SnapshotTask,
  "namespace" | "dataset" | "columns" | "expectations" | "splits" | "retain" | "recipe"
>;

export interface VersionResult {
  version: number;
  digest: string;
  rows: number;
  bytes: number;
}

/** Holds the data to its contract and expectations, splits and profiles it, stores its files and registers the version. */
export async function registerVersion(
  context: AgentContext,
  task: VersionTask,
  source: VersionSource,
): Promise<VersionResult> {
  const { paths, store, logger } = context;
  await refuseEmpty(source.files.map(({ local }) => local));
  const database = await Database.open(join(paths.work, "database"), [paths.work, paths.source]);
  try {
    const input = await makeVersion(context, task, { database, source });
    const { version, digest, rows, bytes } = await store.registerDatasetVersion(task.namespace, task.dataset, input);
    logger.info({ version, digest, rows }, "registered the version");
    return { version, digest, rows, bytes };
  } finally {
    database.close();
  }
}

async function makeVersion(
  context: AgentContext,
  task: VersionTask,
  { database, source }: { database: Database; source: VersionSource },
): Promise<DatasetVersionInput> {
  const format = source.format as TableFormat;
  const rule =
    task.splits && "shares" in task.splits
      ? { splits: task.splits.shares, seed: task.splits.seed }
      : { splits: [], seed: 0 };
  const raw = await readRaw(database, { format, files: source.files, rule });
  if (raw.rows === 0) throw permanent("EmptyDataset", "the source holds no rows");
  const typed = await makeTyped(database, raw, task.columns);
  const splits = splitNames(rule);
  const written = await writeSplits(database, { raw, format, splits }, join(context.paths.work, "splits"));
  await database.run("DROP TABLE raw");
  const { profile, nullable } = await profileTable(database, typed);
  context.logger.info({ rows: raw.rows, columns: typed.length }, "read and profiled the data");
  const entries = await uploadFiles(context, task.namespace, written);
  return {
    digest: manifestDigest(entries),
    format,
    files: entries,
    rows: raw.rows,
    bytes: entries.reduce((sum, { size }) => sum + size, 0),
    splits: Object.fromEntries(written.map(({ split, rows }) => [split, rows])),
    columns: typed.map(({ name, type, role }) => ({
      name,
      type,
      nullable: nullable.has(name),
      ...(role ? { role } : {}),
      ...(task.columns.some((column) => column.name === name && column.sensitive) ? { sensitive: true as const } : {}),
    })),
    profile,
    ...source.facts,
    recipe: task.recipe,
    retain: task.retain,
  };
}

async function refuseEmpty(files: readonly string[]): Promise<void> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  if (sizes.every((size) => size === 0)) throw permanent("EmptyDataset", "the source's files are empty");
}
