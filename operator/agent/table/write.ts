import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { LocalFile } from "../artifact/files.ts";
import { type Database, identifier, literal } from "./database.ts";
import type { RawTable, TableFormat } from "./raw.ts";

const writers: Record<TableFormat, { file: string; options: string }> = {
  CSV: { file: "data.csv", options: `FORMAT csv, HEADER true, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR ''` },
  Parquet: { file: "data.parquet", options: "FORMAT parquet, COMPRESSION zstd" },
  JSONL: { file: "data.jsonl", options: "FORMAT json" },
};

export interface WrittenSplit extends LocalFile {
  split: string;
  rows: number;
}

/**
 * Writes one file for each split, its rows in the source's order and its cells as the source wrote them: the same source
 * gives the same bytes.
 */
export async function writeSplits(
  database: Database,
  { raw, format, splits }: { raw: RawTable; format: TableFormat; splits: readonly string[] },
  folder: string,
): Promise<WrittenSplit[]> {
  const { file, options } = writers[format];
  const select = raw.columns.map(({ name, cell }) => `${cell} AS ${identifier(name)}`).join(", ");
  const written: WrittenSplit[] = [];
  for (const [index, split] of splits.entries()) {
    const path = `${split}/${file}`;
    const local = join(folder, path);
    await mkdir(join(folder, split), { recursive: true });
    const rows = await database.run(
      `COPY (SELECT ${select} FROM raw WHERE split = ${index}) TO ${literal(local)} (${options})`,
    );
    written.push({ split, path, local, rows });
  }
  return written;
}
