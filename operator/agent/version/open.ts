import { join } from "node:path";
import type { DatasetVersionDetail } from "../../store/api.ts";
import type { LocalFile } from "../artifact/files.ts";
import { placeSplit } from "../artifact/split.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import type { Database } from "../table/database.ts";
import { readRaw } from "../table/raw.ts";
import { makeTyped, type TypedColumn } from "../table/typed.ts";
import type { ArtifactLocation } from "../tasks.ts";

interface Opening {
  namespace: string;
  dataset: string;
  version: DatasetVersionDetail;
  /** Default: all of the version. */
  split?: string | undefined;
  database: Database;
  /** Where its files go. */
  folder: string;
  /** Of the Dataset; needed for a version that is stored by reference. */
  location: ArtifactLocation | undefined;
}

/** Brings a version's files and opens them as the table `data`, its columns in their recorded types. */
export async function openVersion(
  context: AgentContext,
  { namespace, dataset, version, split, database, folder, location }: Opening,
): Promise<TypedColumn[]> {
  const { format } = version;
  const name = `version ${version.version} of Dataset ${dataset}`;
  if (format === "Files") throw permanent("TransformInvalid", `${name} has the format Files, which is no table`);
  const splits = Object.keys(version.splits);
  if (split !== undefined && !splits.includes(split)) {
    throw permanent("SourceNotFound", `${name} has no split ${split}; it has ${splits.join(", ")}`);
  }
  const files: LocalFile[] = [];
  for (const part of split === undefined ? splits : [split]) {
    const request = { namespace, dataset, version, split: part, folder: join(folder, part), location };
    files.push(...(await placeSplit(context, request)));
  }
  const raw = await readRaw(database, { format, files, rule: { splits: [], seed: 0 } });
  const columns = await makeTyped(database, raw, version.columns);
  await database.run("DROP TABLE raw");
  const sensitive = new Set(version.columns.filter(({ sensitive }) => sensitive).map(({ name }) => name));
  return columns.map((column) => (sensitive.has(column.name) ? { ...column, sensitive: true as const } : column));
}
