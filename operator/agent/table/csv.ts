import { join } from "node:path";
import type { NamedFile } from "../artifact/files.ts";
import { clip, errorText, permanent, type TaskError } from "../failure.ts";
import { type Database, literal, pathList } from "./database.ts";
import { type Dialect, readDialect } from "./dialect.ts";
import { mixesLineEnds, unifyLineEnds } from "./line-ends.ts";
import { refuseLongLines } from "./long-lines.ts";
import { checkNames, checkSame, type OpenRequest, type RawColumn, type RawTable, type RecordRules } from "./raw.ts";
import { carriageReturn, lineFeed, longestRecord, type RecordShape } from "./records.ts";

/** DuckDB's own default is 16 lines of the greatest size: too much for a small pod, and too few pieces for two threads. */
const bufferBytes = 2 * longestRecord;

interface CsvFile extends NamedFile {
  dialect: Dialect;
}

/** Every file has a header, unless `csv` says no. An empty cell is null, a quoted empty one is the empty text. */
export async function openCsv(_database: Database, { files, csv, folder }: OpenRequest): Promise<RawTable> {
  const opened: CsvFile[] = [];
  for (const { path, local } of files) {
    const dialect = await readDialect(local, path, csv);
    const [first] = opened;
    if (first) checkSame(dialect.names, path, { names: first.dialect.names, file: first.path });
    else checkNames(dialect.names, path);
    await refuseLongLines({ path, local });
    opened.push({ path, local, dialect });
  }
  const columns: RawColumn[] = (opened[0]?.dialect.names ?? []).map((name, index) => {
    const cell = `c${index}`;
    return { name, cell, text: cell, written: cell };
  });
  return {
    columns,
    files: opened,
    relation: (file) => {
      const all = runsOf(file === undefined ? opened : opened.slice(file, file + 1));
      const runs = all.map((run) => ({ ...run, start: run.start + (file ?? 0) }));
      return `(${runs.map((run) => readSql(columns, run)).join(" UNION ALL ")})`;
    },
    // What DuckDB says of mixed line ends.
    mend: async (error) => /state machine|unterminated quote/.test(errorText(error)) && unify(opened, folder),
    explain: async (error) => csvError(error, opened),
    records: (file) => rulesOf((opened[file] as CsvFile).dialect),
  };
}

interface Run {
  /** The number of its first file. */
  start: number;
  dialect: Dialect;
  files: CsvFile[];
}

/** Neighbours of one dialect, which one call reads. */
function runsOf(files: readonly CsvFile[]): Run[] {
  const runs: Run[] = [];
  files.forEach((file, start) => {
    const last = runs.at(-1);
    const { delimiter, isUnified } = file.dialect;
    if (last?.dialect.delimiter === delimiter && last.dialect.isUnified === isUnified) last.files.push(file);
    else runs.push({ start, dialect: file.dialect, files: [file] });
  });
  return runs;
}

function readSql(columns: readonly RawColumn[], { start, dialect, files }: Run): string {
  const { delimiter, quote, header, nulls, isUnified } = dialect;
  // Without it DuckDB goes by the first line end that it sees, be it in quotes.
  const lineEnd = isUnified ? ", new_line = '\\n'" : "";
  const spec = columns.map(({ cell }) => `'${cell}': 'VARCHAR'`).join(", ");
  return `SELECT ${columns.map(({ cell }) => cell).join(", ")}, (${start} + file_index)::UINTEGER AS file
    FROM read_csv(${pathList(files)}, columns = {${spec}}, auto_detect = false,
      header = ${header}, delim = ${literal(delimiter)}, quote = ${literal(quote)}, escape = ${literal(quote)},
      nullstr = [${nulls.map(literal).join(", ")}], allow_quoted_nulls = false, null_padding = false, strict_mode = true,
      max_line_size = ${longestRecord}, buffer_size = ${bufferBytes}, compression = 'none', hive_partitioning = false${lineEnd})`;
}

/** DuckDB's parser takes one kind of line end in a file: mixed ones are unified in a copy. True when there was one. */
async function unify(files: CsvFile[], folder: string): Promise<boolean> {
  let mended = false;
  for (const file of files) {
    if (!(await mixesLineEnds(file.local))) continue;
    const target = join(folder, "unified", file.path);
    await unifyLineEnds(file.local, target, shapeOf(file.dialect));
    Object.assign(file, { local: target, dialect: { ...file.dialect, lineEnd: lineFeed, isUnified: true } });
    mended = true;
  }
  return mended;
}

function shapeOf({ quote, delimiter, lineEnd }: Dialect): Required<RecordShape> {
  return { quote: quote.charCodeAt(0), delimiter: Buffer.from(delimiter), lineEnd };
}

function rulesOf(dialect: Dialect): RecordRules {
  const { header, names } = dialect;
  // Of one column, an empty line is a null.
  return { shape: shapeOf(dialect), header, blanks: names.length === 1 ? [] : [carriageReturn, lineFeed] };
}

/** DuckDB's long advice in one line that names file, line and what was expected. */
function csvError(error: unknown, files: readonly CsvFile[]): TaskError {
  const text = errorText(error);
  const at = files.find(({ local }) => text.includes(`file = ${local}\n`)) ?? files[0];
  const { path = "", dialect } = at ?? {};
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1];
  const first = (message: string) =>
    files.reduce((shown, { local, path }) => shown.replaceAll(local, path), clip(message.split("\n")[0] ?? "", 300));
  if (!line) return permanent("SourceInvalid", `${path} can't be read as CSV: ${first(text)}`);
  const where = `${path}, line ${line}`;
  if (/Maximum line size/i.test(text)) {
    return permanent("SourceInvalid", `${where}: longer than ${longestRecord >> 20} MiB: is this a CSV file?`);
  }
  const found = /Expected Number of Columns: \d+ Found: (\d+)/.exec(text)?.[1];
  if (found) {
    const width = dialect?.names.length;
    return permanent("SourceInvalid", `${where}: ${found} columns where the header has ${width}: mend the row`);
  }
  if (/unicode|utf-8/i.test(text))
    return permanent("SourceInvalid", `${where}: not valid UTF-8: save the file as UTF-8`);
  if (/unterminated quote/.test(text)) {
    return permanent(
      "SourceInvalid",
      `${where}: a quote is not closed, or stands inside a cell: write "…" around the cell and double its quotes`,
    );
  }
  return permanent("SourceInvalid", `${where}: can't be read as CSV`);
}
