import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { hashFile, type LocalFile, type NamedFile } from "../artifact/files.ts";
import { permanent, type TaskError } from "../failure.ts";
import type { SplitRule } from "../tasks.ts";
import { type Database, identifier, literal } from "./database.ts";
import type { RawTable, RecordRules } from "./raw.ts";
import { readRecords } from "./records.ts";
import { RowSplits } from "./row-splits.ts";
import { splitNames, splitSql } from "./split.ts";
import { SplitFile } from "./split-file.ts";
import type { TypedColumn } from "./typed.ts";
import { cast } from "./types.ts";

export interface WrittenSplit extends LocalFile {
  split: string;
  rows: number;
  digest: string;
  size: number;
}

interface Writing {
  raw: RawTable;
  typed: readonly TypedColumn[];
  splits: SplitRule;
  folder: string;
}

/**
 * Splits each file into one for each split that has rows of it, in the file's order: text to the byte as it was, each with
 * the header, Parquet row by row. The same source gives the same bytes.
 */
export async function writeSplits(
  database: Database,
  { raw, typed, splits, folder }: Writing,
): Promise<WrittenSplit[]> {
  const written: WrittenSplit[] = [];
  const names = splitNames(splits);
  const rowSplits = new RowSplits(database);
  for (const [index, { path }] of raw.files.entries()) {
    const targets = names.map((split) => ({ split, path: `${split}/${path}`, local: join(folder, split, path) }));
    for (const { local } of targets) mkdirSync(dirname(local), { recursive: true });
    const rules = raw.records?.(index);
    written.push(
      ...(rules
        ? await copyRecords(rowSplits, { raw, index, rules, targets })
        : await copyRows(database, { raw, index, targets, split: parquetSplit(raw, typed, splits) })),
    );
  }
  const filled = new Set(written.filter(({ rows }) => rows > 0).map(({ split }) => split));
  // A split without rows keeps one file, so that it can be read.
  return written.filter(({ rows, split }) => {
    if (rows > 0) return true;
    if (filled.has(split)) return false;
    filled.add(split);
    return true;
  });
}

type Target = Pick<WrittenSplit, "split" | "path" | "local">;

function parquetSplit(raw: RawTable, typed: readonly TypedColumn[], splits: SplitRule): string {
  const time = typed.findIndex(({ role }) => role === "Timestamp");
  const column = raw.columns[time];
  return splitSql(splits, raw.columns, column && cast(column, typed[time]?.type ?? "Timestamp"));
}

async function copyRows(
  database: Database,
  { raw, index, targets, split }: { raw: RawTable; index: number; targets: readonly Target[]; split: string },
): Promise<WrittenSplit[]> {
  const select = raw.columns.map(({ name, cell }) => `${cell} AS ${identifier(name)}`).join(", ");
  const rows = await database.runEach(
    targets.map(
      ({ local }, number) =>
        `COPY (SELECT ${select} FROM ${raw.relation(index)} WHERE ${split} = ${number})
           TO ${literal(local)} (FORMAT parquet, COMPRESSION zstd)`,
    ),
  );
  const written: WrittenSplit[] = [];
  for (const [number, target] of targets.entries()) {
    written.push({ ...target, rows: rows[number] ?? 0, ...(await hashFile(target.local)) });
  }
  return written;
}

/** The split of each record is in `cells`; the bytes come from the file itself. */
async function copyRecords(
  splits: RowSplits,
  { raw, index, rules, targets }: { raw: RawTable; index: number; rules: RecordRules; targets: readonly Target[] },
): Promise<WrittenSplit[]> {
  const file = raw.files[index] as NamedFile;
  using opened = new DisposableStack();
  const outputs = targets.map(({ local }) => opened.use(new SplitFile(local)));
  let header = rules.header;
  for await (const { bytes, ends } of readRecords(file, rules.shape)) {
    await splits.fetch(ends.length);
    let start = 0;
    for (const end of ends) {
      if (header) for (const output of outputs) output.add(bytes, start, end);
      else if (!isBlank(bytes, start, end, rules.blanks)) {
        const output = outputs[splits.take(index)];
        if (!output) throw mismatch(file.path);
        output.add(bytes, start, end);
        output.rows += 1;
      }
      header = false;
      start = end;
    }
    for (const output of outputs) output.flush();
  }
  if (!(await splits.isDone(index))) throw mismatch(file.path);
  return targets.map((target, number) => ({ ...target, ...(outputs[number] as SplitFile).described() }));
}

function isBlank(bytes: Buffer, start: number, end: number, blanks: readonly number[]): boolean {
  for (let index = start; index < end; index++) if (!blanks.includes(bytes[index] as number)) return false;
  return true;
}

/** Two readers of one file that disagree must not mix up its splits. */
function mismatch(path: string): TaskError {
  return permanent(
    "SourceInvalid",
    `${path}: its rows can't be told apart to be split: write quotes around whole cells, and double those inside`,
  );
}
