import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type DatasetVersion, manifestDigest } from "../store/api.ts";
import { uploadFiles } from "./artifact/upload.ts";
import type { AgentContext } from "./context.ts";
import { permanent, redact } from "./failure.ts";
import { type Fetched, fetchSource } from "./source/fetch.ts";
import { gunzipFiles } from "./source/gunzip.ts";
import { Database } from "./table/database.ts";
import { profileTable } from "./table/profile.ts";
import { readRaw, type TableFormat } from "./table/raw.ts";
import { splitNames } from "./table/split.ts";
import { makeTyped } from "./table/typed.ts";
import { writeSplits } from "./table/write.ts";
import type { SnapshotTask } from "./tasks.ts";

const extensions: Record<SnapshotTask["format"], RegExp> = {
  Files: /./,
  CSV: /\.(csv|tsv|txt)(\.gz)?$/i,
  Parquet: /\.(parquet|pq)$/i,
  JSONL: /\.(jsonl|ndjson|json)(\.gz)?$/i,
};

/** Reads the source, checks its schema, splits and profiles it, and registers what it holds as a version. */
export async function snapshot(context: AgentContext, task: SnapshotTask): Promise<object> {
  const { paths, logger } = context;
  const { format } = task;
  const fetched = await fetchSource(context, task.source, {
    into: join(paths.work, "source"),
    wanted: (path) => extensions[format].test(path) && !/(^|\/)[._]/.test(path),
  });
  logger.info({ files: fetched.files.length }, "fetched the source");
  const files = await gunzipFiles(fetched.files, join(paths.work, "unpacked"));
  await refuseEmpty(files.map(({ local }) => local));
  const database = await Database.open(join(paths.work, "database"), [paths.work, paths.source]);
  try {
    const input = await makeVersion(context, task, { database, files, fetched });
    const { store } = context;
    const version: DatasetVersion = await store.registerDatasetVersion(task.namespace, task.dataset, input);
    logger.info({ version: version.version, digest: version.digest, rows: version.rows }, "registered the version");
    return { version: version.version, digest: version.digest, rows: version.rows, bytes: version.bytes };
  } finally {
    database.close();
  }
}

interface Opened {
  database: Database;
  files: { path: string; local: string }[];
  fetched: Fetched;
}

async function makeVersion(context: AgentContext, task: SnapshotTask, { database, files, fetched }: Opened) {
  const { namespace, source, retain } = task;
  const format = task.format as TableFormat;
  const rule =
    task.splits && "shares" in task.splits
      ? { splits: task.splits.shares, seed: task.splits.seed }
      : { splits: [], seed: 0 };
  const raw = await readRaw(database, { format, files, rule });
  if (raw.rows === 0) throw permanent("EmptyDataset", "the source holds no rows");
  const typed = await makeTyped(database, raw, task.columns);
  const splits = splitNames(rule);
  const written = await writeSplits(database, { raw, format, splits }, join(context.paths.work, "splits"));
  await database.run("DROP TABLE raw");
  const { profile, nullable } = await profileTable(database, typed);
  context.logger.info({ rows: raw.rows, columns: typed.length }, "read and profiled the data");
  const entries = await uploadFiles(context, namespace, written);
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
    })),
    profile,
    source: { uri: redact(source.uri), ...(fetched.state ? { state: fetched.state } : {}) },
    retain,
  };
}

async function refuseEmpty(files: readonly string[]): Promise<void> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  if (sizes.every((size) => size === 0)) throw permanent("EmptyDataset", "the source's files are empty");
}
