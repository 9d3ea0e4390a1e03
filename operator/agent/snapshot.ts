import { join } from "node:path";
import type { AgentContext } from "./context.ts";
import { redact } from "./failure.ts";
import { fetchSource } from "./source/fetch.ts";
import { gunzipFiles } from "./source/gunzip.ts";
import type { SnapshotTask } from "./tasks.ts";
import { registerVersion } from "./version/register.ts";

const extensions: Record<SnapshotTask["format"], RegExp> = {
  Files: /./,
  CSV: /\.(csv|tsv|txt)(\.gz)?$/i,
  Parquet: /\.(parquet|pq)$/i,
  JSONL: /\.(jsonl|ndjson|json)(\.gz)?$/i,
};

/** Reads the source and registers what it holds as a version. */
export async function snapshot(context: AgentContext, task: SnapshotTask): Promise<object> {
  const { paths, logger } = context;
  const { format, csv, source } = task;
  const fetched = await fetchSource(context, source, {
    into: join(paths.work, "source"),
    wanted: (path) => extensions[format].test(path) && !/(^|\/)[._]/.test(path),
  });
  logger.info({ files: fetched.files.length }, "fetched the source");
  const files = await gunzipFiles(fetched.files, join(paths.work, "unpacked"));
  const { state } = fetched;
  const facts = { source: { uri: redact(source.uri), ...(state ? { state } : {}) } };
  return registerVersion(context, task, { format, ...(csv ? { csv } : {}), files, facts });
}
