import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type DatasetFormat,
  type DatasetVersionDetail,
  type DatasetVersionInput,
  manifestDigest,
  type Origin,
} from "../../store/api.ts";
import type { LocalFile } from "../artifact/files.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import { progressTo, type Tell } from "../progress.ts";
import type { SnapshotTask } from "../tasks.ts";
import { splitFiles } from "./files.ts";
import { inFolder, startStoring } from "./store-files.ts";
import { makeTable } from "./table.ts";

/** What a version is made of, wherever it comes from: local files of one format. A derived version is one Parquet file. */
export interface VersionSource {
  format: DatasetFormat;
  csv?: SnapshotTask["csv"];
  /** What is stored, by path; never empty. */
  files: readonly LocalFile[];
  /** The same files as they are read, where that is another: packed ones unpacked. */
  tables?: readonly LocalFile[];
  /** One for each file, by the file's path, when the bytes stay where they are. */
  origins?: readonly Origin[] | undefined;
  /** Asked once all has been read, of files that others may write to meanwhile: throws where one has changed. */
  verify?: (() => Promise<void>) | undefined;
  facts: Pick<DatasetVersionInput, "source" | "parents" | "etags">;
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

/** What the data itself says of its version. */
export type Content = Pick<
  DatasetVersionInput,
  "rows" | "splits" | "columns" | "profile" | "missing" | "expectations" | "newest"
> & {
  /** The version's files, by their paths in it. */
  files: readonly LocalFile[];
};

/** All that the making of a version works with. */
export interface Making {
  context: AgentContext;
  task: VersionTask;
  source: VersionSource;
  current: DatasetVersionDetail | undefined;
  tell: Tell;
  folder: string;
}

/** Holds the data to its contract and expectations, splits and profiles it, stores its files and registers the version. */
export async function registerVersion(
  context: AgentContext,
  task: VersionTask,
  source: VersionSource,
): Promise<VersionResult> {
  const { store, logger, paths } = context;
  const folder = join(paths.work, "version");
  await rm(folder, { recursive: true, force: true });
  const tell = progressTo(context, task);
  const current = await currentVersion(context, task);
  const making: Making = { context, task, source, current, tell, folder };
  // What was wrong with data that changed tells nothing.
  const input = await makeVersion(making).finally(() => source.verify?.());
  const { version, digest, rows, bytes } = await store.registerDatasetVersion(task.namespace, task.dataset, input);
  logger.info({ version, digest, rows }, "registered the version");
  return { version, digest, rows, bytes };
}

async function currentVersion(
  { store }: AgentContext,
  { namespace, dataset }: VersionTask,
): Promise<DatasetVersionDetail | undefined> {
  const { current } = await store.dataset(namespace, dataset);
  return current === undefined ? undefined : store.getDatasetVersion(namespace, dataset, `${current}`);
}

async function makeVersion(making: Making): Promise<DatasetVersionInput> {
  const { task, source } = making;
  const { format, csv, facts } = source;
  // Files that are stored as they are go to the store while the table is read.
  const whole = task.splits ? undefined : startStoring(making, inFolder("all", source.files));
  try {
    const { files, ...content } = format === "Files" ? splitFiles(making) : await makeTable(making);
    const entries = await (whole ?? startStoring(making, files)).entries;
    const origins = source.origins && movedOrigins(source, files);
    return {
      digest: manifestDigest(entries),
      format,
      ...(csv ? { csv } : {}),
      files: entries,
      ...(origins ? { origins } : {}),
      bytes: entries.reduce((sum, { size }) => sum + size, 0),
      ...content,
      ...facts,
      recipe: task.recipe,
      retain: task.retain,
    };
  } catch (error) {
    whole?.stop();
    throw error;
  }
}

/** The origins by the paths that the files have in the version. */
function movedOrigins({ files, origins = [] }: VersionSource, moved: readonly LocalFile[]): Origin[] {
  const paths = new Map(files.map(({ path, local }) => [local, path]));
  const byPath = new Map(origins.map((origin) => [origin.path, origin]));
  return moved.map(({ path, local }) => {
    const origin = byPath.get(paths.get(local) ?? "");
    if (origin) return { ...origin, path };
    throw permanent("SourceInvalid", `${path} can't be read from its source again: use storage: Copy`);
  });
}
