import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatasetVersion } from "../../store/api.ts";
import type { LocalFile } from "../artifact/files.ts";
import { gunzipFiles } from "../source/gunzip.ts";
import type { Database } from "./database.ts";
import { openRaw, type TableFormat } from "./raw.ts";
import { makeTyped, type TypedColumn } from "./typed.ts";

interface StoredFiles {
  files: readonly LocalFile[];
  /** For what is written on the way. */
  folder: string;
  /** The table's name, as SQL writes it. */
  table: string;
}

/**
 * Reads files of a registered version into a table of c0, c1, … with the types that the version records, in the files'
 * order, which the table's rowid keeps.
 */
export async function readStored(
  database: Database,
  version: Pick<DatasetVersion, "format" | "csv" | "columns">,
  { files, folder, table }: StoredFiles,
): Promise<readonly TypedColumn[]> {
  // Packed files are stored so by reference only.
  const plain = await gunzipFiles(files, join(folder, "unpacked"));
  const { csv, format } = version;
  const raw = await openRaw(database, { format: format as TableFormat, files: plain, csv, folder });
  const columns = await makeTyped(database, raw, { declared: version.columns, folder });
  const cells = columns.map(({ cell }) => cell).join(", ");
  await database.run(`CREATE TABLE ${table} AS SELECT ${cells} FROM cells`);
  await database.run("DROP VIEW cells");
  await rm(join(folder, "cells.parquet"), { force: true });
  return columns;
}
