import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ExpectationResult } from "../../store/api.ts";
import type { LocalFile } from "../artifact/files.ts";
import { judge } from "../expectations/judge.ts";
import { exampleRows } from "../expectations/table.ts";
import { permanent } from "../failure.ts";
import { Database } from "../table/database.ts";
import { type Profiled, profileTable } from "../table/profile.ts";
import { openRaw, type RawTable, type TableFormat } from "../table/raw.ts";
import { explained, makeTyped, type TypedColumn } from "../table/typed.ts";
import { writeSplits } from "../table/write.ts";
import type { Content, Making } from "./register.ts";
import { inFolder } from "./store-files.ts";

/** Of the other formats: what the table holds, when it keeps its contract and what is expected of it. */
export async function makeTable(making: Making): Promise<Content> {
  const { context, source, folder } = making;
  const work = join(folder, "table");
  await mkdir(work, { recursive: true });
  const folders = [context.paths.work, context.paths.source];
  const database = await Database.open(join(folder, "database"), folders);
  try {
    const raw = await openRaw(database, {
      format: source.format as TableFormat,
      files: source.tables ?? source.files,
      csv: source.csv,
      folder: work,
    });
    return await checkTable(making, { database, raw, work });
  } finally {
    database.close();
    await rm(work, { recursive: true, force: true });
  }
}

interface Opened {
  database: Database;
  raw: RawTable;
  work: string;
}

async function checkTable(making: Making, { database, raw, work }: Opened): Promise<Content> {
  const { context, task, source, current, tell, folder } = making;
  const bytes = (source.tables ?? source.files).reduce((sum, { size }) => sum + size, 0);
  const typed = await makeTyped(database, raw, {
    declared: task.columns,
    splits: task.splits,
    folder: work,
    told: (share) => tell({ phase: "Reading", bytes: Math.round(bytes * share), totalBytes: bytes }),
  });
  // Parquet is read for the first time here.
  const profiled = await explained(raw, () => profileTable(database, typed));
  const { rows } = profiled;
  if (rows === 0) throw permanent("EmptyDataset", "the source holds no rows");
  tell({ phase: "Checking", bytes, totalBytes: bytes, rows });
  context.logger.info({ rows, columns: typed.length }, "read and profiled the data");
  const timeLimit = context.timing.expectation;
  const table = { database, columns: typed, profiled, files: raw.files, timeLimit, current };
  await checkContract(making, table);
  const expectations = await judge(task.expectations, table);
  refuseBroken(making, expectations);
  const files = await fileSplits(making, { database, raw, typed, folder, rows });
  return {
    ...files,
    rows,
    columns: typed.map(({ cell: _, name, ...column }) => ({
      name,
      ...column,
      nullable: (profiled.nulls.get(name) ?? 0) > 0,
    })),
    profile: profiled.profile,
    ...(profiled.missing.length > 0 ? { missing: profiled.missing } : {}),
    ...(expectations.length > 0 ? { expectations } : {}),
    ...(profiled.newest === undefined ? {} : { newest: new Date(profiled.newest).toISOString() }),
  };
}

interface Typed {
  database: Database;
  raw: RawTable;
  typed: readonly TypedColumn[];
  folder: string;
  rows: number;
}

async function fileSplits(
  { task: { splits }, source }: Making,
  { database, raw, typed, folder, rows }: Typed,
): Promise<{ files: LocalFile[]; splits: Record<string, number> }> {
  if (!splits) return { files: inFolder("all", source.files), splits: { all: rows } };
  const written = await writeSplits(database, { raw, typed, splits, folder: join(folder, "splits") });
  const counts: Record<string, number> = {};
  for (const { split, rows } of written) counts[split] = (counts[split] ?? 0) + rows;
  return { files: written.map(({ path, local, digest, size }) => ({ path, local, digest, size })), splits: counts };
}

/** What the types do not say: values where they must be. */
async function checkContract(
  { task }: Making,
  table: { database: Database; columns: readonly TypedColumn[]; profiled: Profiled; files: RawTable["files"] },
): Promise<void> {
  for (const { name, nullable } of task.columns) {
    const nulls = table.profiled.nulls.get(name) ?? 0;
    const column = table.columns.find((candidate) => candidate.name === name);
    if (nullable !== false || nulls === 0 || !column) continue;
    const rows = nulls === 1 ? "1 row has" : `${nulls} rows have`;
    const where = await exampleRows(table, column, `${column.cell} IS NULL`);
    throw permanent("SchemaViolation", `column ${name} must not be null, but ${rows} no value: ${where}`);
  }
}

/** Expectations that may block must hold; all that do not are told at once. */
function refuseBroken({ task, context }: Making, results: readonly ExpectationResult[]): void {
  const broken = results.filter(({ passed }) => !passed);
  for (const { name, message } of broken) context.logger.warn({ expectation: name }, message);
  const blocking = broken.filter(
    ({ name }) => task.expectations.find((expectation) => expectation.name === name)?.onViolation === "Block",
  );
  if (blocking.length === 0) return;
  throw permanent("ExpectationFailed", blocking.map(({ name, message }) => `${name}: ${message}`).join("; "));
}
