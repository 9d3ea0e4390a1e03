import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatasetVersion, Origin } from "../store/api.ts";
import type { LocalFile } from "./artifact/files.ts";
import type { AgentContext } from "./context.ts";
import { permanent, redact } from "./failure.ts";
import { progressTo } from "./progress.ts";
import { fetchSource } from "./source/fetch.ts";
import { gunzipFiles } from "./source/gunzip.ts";
import { keptFiles } from "./source/kept.ts";
import type { Written } from "./source/transfer.ts";
import type { SnapshotTask } from "./tasks.ts";
import { registerVersion, type VersionSource } from "./version/register.ts";

const extensions: Record<SnapshotTask["format"], RegExp> = {
  Files: /./,
  CSV: /\.(csv|tsv|txt)(\.gz)?$/i,
  Parquet: /\.(parquet|pq)$/i,
  JSONL: /\.(jsonl|ndjson|json)(\.gz)?$/i,
};

/** Reads the source and registers what it holds as a version; a source that says it is as it was is not read. */
export async function snapshot(context: AgentContext, task: SnapshotTask): Promise<object> {
  const { paths, logger, store } = context;
  const { namespace, dataset, format, source, storage } = task;
  const last = await lastVersion(context, task);
  const tell = progressTo(context, task);
  let bytes = 0;
  const fetched = await fetchSource(context, source, {
    into: join(paths.work, "source"),
    wanted: (path) => extensions[format].test(path) && !/(^|\/)[._]/.test(path),
    known: last?.source?.state,
    // Whoever reads a table needs all of it; of files, only those that are new.
    kept:
      format === "Files" && last
        ? async () => keptFiles(await store.getDatasetVersion(namespace, dataset, `${last.version}`))
        : undefined,
    arrived: format === "Files" && storage === "Copy" ? (file) => moveToStore(context, namespace, file) : undefined,
    progress: (more, totalBytes) => {
      bytes += more;
      tell({ phase: "Fetching", bytes, ...(totalBytes === undefined ? {} : { totalBytes }) });
    },
  });
  if ("unchanged" in fetched) {
    await store.retainDatasetVersions(namespace, dataset, task.retain);
    logger.info({ version: last?.version }, "the source has not changed");
    return { version: last?.version, digest: last?.digest, rows: last?.rows, bytes: last?.bytes, unchanged: true };
  }
  logger.info({ files: fetched.files.length }, "fetched the source");
  const { state, verify, origins = [] } = fetched;
  const etags = format === "Files" && storage === "Copy" ? etagsOf(origins) : undefined;
  const facts = { source: { uri: redact(source.uri), ...(state ? { state } : {}) }, ...(etags ? { etags } : {}) };
  return registerVersion(context, task, { ...(await openFiles(context, task, fetched)), verify, facts });
}

function etagsOf(origins: readonly Origin[]): Record<string, string> | undefined {
  const known = origins.flatMap(({ path, etag }) => (etag ? [[path, etag] as const] : []));
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}

/** Of files that nobody reads here, no more lie on the pod's volume than are under way. */
async function moveToStore({ store }: AgentContext, namespace: string, file: LocalFile & Written): Promise<LocalFile> {
  await store.uploadFile(namespace, file.local, file);
  await rm(file.local);
  return { ...file, stored: true };
}

/** The current version, when it was made in the same way: only then does an equal state tell something. */
async function lastVersion(
  { store }: AgentContext,
  { namespace, dataset, recipe }: SnapshotTask,
): Promise<DatasetVersion | undefined> {
  const { versions, current } = await store.dataset(namespace, dataset);
  return versions.find((version) => version.version === current && version.recipe === recipe);
}

type Opened = Omit<VersionSource, "facts" | "verify">;
type Fetched = Pick<VersionSource, "files" | "origins">;

/** The files as they are read. Packed ones are unpacked, and stored so, unless they stay where they are. */
async function openFiles(
  { paths }: AgentContext,
  { format, csv, storage }: SnapshotTask,
  { files, origins }: Fetched,
): Promise<Opened> {
  const base = { format, ...(csv ? { csv } : {}) };
  if (format === "Files") return { ...base, files, ...(storage === "Reference" ? { origins: origins ?? [] } : {}) };
  const unpacked = await gunzipFiles(files, join(paths.work, "unpacked"));
  refuseEmpty(unpacked);
  if (storage === "Reference") return { ...base, files, tables: unpacked, origins: origins ?? [] };
  const plain = unpacked.map((file, index) => {
    const isPacked = file.local !== files[index]?.local;
    return isPacked ? { ...file, path: file.path.slice(0, -".gz".length) } : file;
  });
  const seen = new Set<string>();
  const twice = plain.find(({ path }) => {
    if (seen.has(path)) return true;
    seen.add(path);
    return false;
  });
  if (twice) throw permanent("SourceInvalid", `${twice.path} is there both packed and unpacked: remove one`);
  return { ...base, files: plain };
}

function refuseEmpty(files: readonly LocalFile[]): void {
  if (files.every(({ size }) => size === 0)) throw permanent("EmptyDataset", "the source's files are empty");
}
