/** Inputs of derived Datasets, put straight into the store, and what came of them. */
import { join } from "node:path";
import { hashFile } from "../../../operator/agent/artifact/files.ts";
import { Database } from "../../../operator/agent/table/database.ts";
import type { DeriveTask } from "../../../operator/agent/tasks.ts";
import type { Column } from "../../../operator/store/api.ts";
import { datasetInput } from "../../builders/store.ts";
import { namespace, type World } from "./world.ts";

export const customer = { name: "customer", type: "Int64", role: "Key" } as const;
export const seen = { name: "seen", type: "Timestamp", role: "Timestamp" } as const;
export const amount = { name: "amount", type: "Double" } as const;
export const card = { name: "card", type: "Int64", sensitive: true } as const;

/** Puts a file into the store. */
export async function uploaded(world: World, name: string, content: string): Promise<{ size: number; digest: string }> {
  const local = join(world.paths.source, name);
  await world.source(name, content);
  const file = await hashFile(local);
  await world.store.uploadFile(namespace, local, file);
  return file;
}

/** Makes a version of a Dataset; its digest. */
export async function makeInput(
  world: World,
  dataset: string,
  csv: string,
  columns: Omit<Column, "nullable">[],
): Promise<string> {
  const file = { path: "all/data.csv", ...(await uploaded(world, `${dataset}.csv`, csv)) };
  const rows = csv.trim().split("\n").length - 1;
  const { digest } = await world.store.registerDatasetVersion(
    namespace,
    dataset,
    datasetInput([file], { rows, splits: { all: rows }, columns: columns.map((c) => ({ ...c, nullable: true })) }),
  );
  return digest;
}

export const recipe = `sha256:${"1".repeat(64)}`;

export function deriveTask(inputs: Record<string, string>, changes: Partial<DeriveTask>): DeriveTask {
  return {
    ...{ verb: "derive", namespace, dataset: "derived", columns: [], expectations: [], retain: 10, recipe },
    inputs: Object.entries(inputs).map(([name, digest]) => ({ name, dataset: name.replaceAll("_", "-"), digest })),
    ...changes,
  };
}

/** The rows of a version of a derived Dataset, as text, split after split. */
export async function readRows(
  world: World,
  version = "1",
  dataset = "derived",
): Promise<Record<string, string | null>[]> {
  const { files, columns } = await world.store.getDatasetVersion(namespace, dataset, version);
  const database = await Database.open(join(world.paths.work, "reader"), [world.paths.work]);
  const rows: Record<string, string | null>[] = [];
  try {
    for (const [index, { digest }] of files.entries()) {
      const file = join(world.paths.work, `read-${version}-${index}.parquet`);
      await world.store.download(namespace, digest, file);
      const cells = columns.map(({ name }) => `"${name}"::VARCHAR AS "${name}"`).join(", ");
      const found = await database.rows(`SELECT ${cells} FROM read_parquet('${file}')`);
      rows.push(...(found as Record<string, string | null>[]));
    }
  } finally {
    database.close();
  }
  return rows;
}
