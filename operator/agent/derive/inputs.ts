import { join } from "node:path";
import type { Parent } from "../../store/api.ts";
import type { AgentContext } from "../context.ts";
import { type Database, identifier } from "../table/database.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { DeriveTask } from "../tasks.ts";
import { openVersion } from "../version/open.ts";

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
  for (const [index, { name, dataset, digest, split, location }] of inputs.entries()) {
    const version = await context.store.getDatasetVersion(namespace, dataset, digest);
    const opening = { namespace, dataset, version, split, location, database, folder: join(folder, name) };
    const columns = await openVersion(context, opening);
    const { version: number, revision } = version;
    // A space: no name in from can have one.
    const table = identifier(`input ${index}`);
    await database.run(`ALTER TABLE data RENAME TO ${table}`);
    opened.push({
      name,
      table,
      columns,
      parent: {
        ...{ dataset, version: number, digest },
        ...(revision ? { revision } : {}),
        ...(split ? { split } : {}),
      },
    });
  }
  // Last, so that an input may be named cells.
  for (const { name, table, columns } of opened) {
    const named = columns.map(({ name, cell }) => `${cell} AS ${identifier(name)}`).join(", ");
    await database.run(`CREATE VIEW ${identifier(name)} AS SELECT ${named} FROM ${table}`);
  }
  return opened;
}
