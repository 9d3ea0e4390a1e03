import { join } from "node:path";
import type { DatasetVersionDetail } from "../../store/api.ts";
import { placeFiles } from "../artifact/place.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import { splitFiles } from "../stage/inputs.ts";
import type { Database } from "../table/database.ts";
import { readRaw } from "../table/raw.ts";
import { makeTyped, type TypedColumn } from "../table/typed.ts";

interface Opening {
  namespace: string;
  dataset: string;
  version: DatasetVersionDetail;
  /** Default: all of the version. */
  split?: string | undefined;
  database: Database;
  /** Where its files go. */
  folder: string;
}

/** Brings a version's files and opens them as the table `data`, its columns in their recorded types. */
export async function openVersion(
  context: AgentContext,
  { namespace, dataset, version, split, database, folder }: Opening,
): Promise<TypedColumn[]> {
  const { format } = version;
  const name = `version ${version.version} of Dataset ${dataset}`;
  if (format === "Files") throw permanent("TransformInvalid", `${name} has the format Files, which is no table`);
  const splits = Object.keys(version.splits);
  if (split !== undefined && !splits.includes(split)) {
    throw permanent("SourceNotFound", `${name} has no split ${split}; it has ${splits.join(", ")}`);
  }
  const placements =
    split === undefined ? version.files.map((entry) => ({ entry, target: entry.path })) : splitFiles(version, split);
  await placeFiles(context, namespace, { folder, files: placements });
  const files = placements.map(({ target }) => ({ path: target, local: join(folder, target) }));
  const raw = await readRaw(database, { format, files, rule: { splits: [], seed: 0 } });
  const columns = await makeTyped(database, raw, version.columns);
  await database.run("DROP TABLE raw");
  const sensitive = new Set(version.columns.filter(({ sensitive }) => sensitive).map(({ name }) => name));
  return columns.map((column) => (sensitive.has(column.name) ? { ...column, sensitive: true as const } : column));
}
