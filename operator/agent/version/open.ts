import { join } from "node:path";
import type { DatasetVersionDetail } from "../../store/api.ts";
import type { LocalFile } from "../artifact/files.ts";
import { placeSplit } from "../artifact/split.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import type { Database } from "../table/database.ts";
import { readStored } from "../table/stored.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { ArtifactLocation } from "../tasks.ts";

interface Opening {
  namespace: string;
  dataset: string;
  version: DatasetVersionDetail;
  /** Default: all of the version. */
  split?: string | undefined;
  /** Needed for a version that is stored by reference. */
  location?: ArtifactLocation | undefined;
  database: Database;
  /** Where its files go. */
  folder: string;
}

/** Brings a version's files and opens them as the table `data`, its columns in their recorded types. */
export async function openVersion(
  context: AgentContext,
  { namespace, dataset, version, split, location, database, folder }: Opening,
): Promise<readonly TypedColumn[]> {
  const { format } = version;
  const name = `version ${version.version} of Dataset ${dataset}`;
  if (format === "Files") throw permanent("TransformInvalid", `${name} has the format Files, which is no table`);
  const splits = Object.keys(version.splits);
  if (split !== undefined && !splits.includes(split)) {
    throw permanent("SourceNotFound", `${name} has no split ${split}; it has ${splits.join(", ")}`);
  }
  const files: LocalFile[] = [];
  for (const each of split === undefined ? splits : [split]) {
    const place = { namespace, dataset, version, split: each, folder: join(folder, each), location };
    const placed = await placeSplit(context, place);
    files.push(...placed.map((file) => ({ ...file, path: `${each}/${file.path}` })));
  }
  return readStored(database, version, { files, folder, table: "data" });
}
