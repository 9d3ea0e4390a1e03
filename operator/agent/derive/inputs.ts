import { join } from "node:path";
import type { DatasetVersionDetail, Parent } from "../../store/api.ts";
import { type Placement, placeFiles } from "../artifact/place.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import { splitFiles } from "../stage/inputs.ts";
import { type Database, identifier } from "../table/database.ts";
import { readStored } from "../table/stored.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { DeriveTask } from "../tasks.ts";

/** A version of another Dataset, opened: a view `name` with its columns' names, over `table`, whose rowids are its order. */
export interface Input {
  name: string;
  table: string;
  columns: readonly TypedColumn[];
  parent: Parent;
}

/** Brings the versions into `folder` and opens each as a table of its recorded types. */
export async function openInputs(
  context: AgentContext,
  { namespace, inputs }: DeriveTask,
  { database, folder }: { database: Database; folder: string },
): Promise<Input[]> {
  const opened: Input[] = [];
  for (const [index, input] of inputs.entries()) {
    const version = await context.store.getDatasetVersion(namespace, input.dataset, input.digest);
    const { format } = version;
    if (format === "Files") {
      throw permanent(
        "TransformInvalid",
        `from ${input.name}: Dataset ${input.dataset} has the format Files: no table`,
      );
    }
    const placements = chooseFiles(version, input);
    const local = join(folder, input.name);
    await placeFiles(context, namespace, { folder: local, files: placements });
    const files = placements.map(({ target }) => ({ path: target, local: join(local, target) }));
    // A space: no name in from can have one.
    const table = identifier(`input ${index}`);
    const columns = await readStored(database, version, { files, folder, table });
    const { dataset, digest, split } = input;
    const parent = { dataset, version: version.version, digest, ...(split ? { split } : {}) };
    opened.push({ name: input.name, table, columns, parent });
  }
  // Last, so that an input may be named cells.
  for (const { name, table, columns } of opened) {
    const named = columns.map(({ name, cell }) => `${cell} AS ${identifier(name)}`).join(", ");
    await database.run(`CREATE VIEW ${identifier(name)} AS SELECT ${named} FROM ${table}`);
  }
  return opened;
}

/** Without a split, all of them. */
function chooseFiles(version: DatasetVersionDetail, input: DeriveTask["inputs"][number]): Placement[] {
  if (input.split === undefined) return version.files.map((entry) => ({ entry, target: entry.path }));
  const splits = Object.keys(version.splits);
  if (splits.includes(input.split)) return splitFiles(version, input.split);
  throw permanent(
    "SourceNotFound",
    `from ${input.name}: version ${version.version} of Dataset ${input.dataset} has no split ${input.split}; it has ${splits.join(", ")}`,
  );
}
