import type { DatasetVersionDetail } from "../../store/api.ts";
import type { NamedFile } from "../artifact/files.ts";
import { type Database, identifier } from "../table/database.ts";
import { type Example, exampleLimit, showExamples } from "../table/examples.ts";
import type { Profiled } from "../table/profile.ts";
import type { TypedColumn } from "../table/typed.ts";

/** Data that is to become a version, and what is known of it. */
export interface CheckedTable {
  database: Database;
  columns: readonly TypedColumn[];
  profiled: Profiled;
  files: readonly NamedFile[];
  /** Milliseconds that the SQL of an expectation may take. */
  timeLimit: number;
  /** The version that the data would take the place of. */
  current?: DatasetVersionDetail | undefined;
}

/** The first rows for which the SQL is true, in words; their values of a column, unless it is sensitive. */
export async function exampleRows(
  { database, files }: Pick<CheckedTable, "database" | "files">,
  { cell, sensitive }: Pick<TypedColumn, "cell" | "sensitive">,
  bad: string,
): Promise<string> {
  const rows = await database.rows(
    `SELECT file, row, ${cell}::VARCHAR AS value FROM cells WHERE ${bad} LIMIT ${exampleLimit}`,
  );
  const examples: Example[] = [];
  for (const { file, row, value } of rows) {
    const { first } = await database.row(`SELECT min(row) AS first FROM cells WHERE file = ${file}`);
    const path = files[Number(file)]?.path ?? "";
    examples.push({ path, row: Number(row) - Number(first) + 1, value: value === null ? undefined : String(value) });
  }
  return showExamples(examples, sensitive);
}

/** Makes the table `data`, which has the columns by their names. */
export async function nameColumns({ database, columns }: Pick<CheckedTable, "database" | "columns">): Promise<void> {
  const select = columns.map(({ name, cell }) => `${cell} AS ${identifier(name)}`);
  await database.run(`CREATE OR REPLACE VIEW data AS SELECT ${select.join(", ")} FROM cells`);
}
