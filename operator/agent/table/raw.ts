import type { DatasetFormat } from "../../store/api.ts";
import type { NamedFile } from "../artifact/files.ts";
import { permanent, type TaskError } from "../failure.ts";
import type { SnapshotTask } from "../tasks.ts";
import { openCsv } from "./csv.ts";
import type { Database } from "./database.ts";
import { openJsonl } from "./jsonl.ts";
import { openParquet } from "./parquet.ts";
import type { RecordShape } from "./records.ts";

export type TableFormat = Exclude<DatasetFormat, "Files">;
export type CsvOptions = NonNullable<SnapshotTask["csv"]>;

/** A column of the files, whose cells are as the source writes them. */
export interface RawColumn {
  name: string;
  /** Its column in `RawTable.relation`. */
  cell: string;
  /** SQL: the cell's value as text. */
  text: string;
  /** SQL: the cell as written, where a quoted "5" is no number. */
  written: string;
  /** The column type of DuckDB where the format has types. */
  native?: string;
}

/** The files as one table that is read where they are. */
export interface RawTable {
  columns: RawColumn[];
  files: readonly NamedFile[];
  /** SQL: their rows in order, as c0, c1, … and `file`, the number of the file; of one file, when its number is given. */
  relation(file?: number): string;
  /** Writes anew what can't be read as it is; true when a failed query is worth another try. */
  mend(error: unknown): Promise<boolean>;
  /** What a failed query over `relation` means. */
  explain(error: unknown): Promise<TaskError>;
  /** How the records of a file are told apart, and which of them are no rows: the header, blank ones. */
  records?(file: number): RecordRules;
}

export interface RecordRules {
  shape: RecordShape;
  header: boolean;
  /** Records of these bytes alone are no rows. */
  blanks: readonly number[];
}

export interface OpenRequest {
  format: TableFormat;
  files: readonly NamedFile[];
  csv?: CsvOptions | undefined;
  /** For what must be written anew to be read. */
  folder: string;
}

const readers = { CSV: openCsv, JSONL: openJsonl, Parquet: openParquet };

/** Opens the files as a table. Files that can't be read, or differ in columns, are SourceInvalid. */
export async function openRaw(database: Database, request: OpenRequest): Promise<RawTable> {
  return readers[request.format](database, request);
}

/** As many as the store takes. */
export const columnLimit = 10_000;

/** What DuckDB's readers call the numbers of files and rows. */
const taken = new Set(["file_index", "file_row_number"]);

/** Refuses names that DuckDB or the store could not tell apart, or that nobody can type; and more than a version can have. */
export function checkNames(names: readonly string[], file: string): void {
  if (names.length > columnLimit) {
    throw permanent(
      "SourceInvalid",
      `${file}: more than ${columnLimit} columns: leave some out, or put them into rows`,
    );
  }
  const seen = new Map<string, string>();
  names.forEach((name, index) => {
    if (name === "") {
      const hint = index === 0 ? " (pandas: to_csv(index=False))" : "";
      throw permanent(
        "SourceInvalid",
        `${file}: column ${index + 1} has no name in the header: name it, or leave it out${hint}`,
      );
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    if (name.length > 256 || /[\u0000-\u001f]/.test(name)) {
      const shown = JSON.stringify(name.slice(0, 64));
      throw permanent(
        "SourceInvalid",
        `${file}: the column name ${shown} is longer than 256 characters or has control characters`,
      );
    }
    if (taken.has(name.toLowerCase())) {
      throw permanent("SourceInvalid", `${file}: the column name ${name} is taken by what reads the file: rename it`);
    }
    const same = seen.get(name.toLowerCase());
    if (same !== undefined) {
      const why = same === name ? `two columns are named ${name}` : `columns ${same} and ${name} differ only by case`;
      throw permanent("SourceInvalid", `${file}: ${why}: rename one`);
    }
    seen.set(name.toLowerCase(), name);
  });
}

/** Refuses a file whose columns are not those of the first. */
export function checkSame(
  names: readonly string[],
  file: string,
  first: { names: readonly string[]; file: string },
): void {
  if (names.length === first.names.length && names.every((name, index) => name === first.names[index])) return;
  const missing = first.names.filter((name) => !names.includes(name));
  const extra = names.filter((name) => !first.names.includes(name));
  const what = [
    ...(missing.length > 0 ? [`${missing.slice(0, 5).join(", ")} missing`] : []),
    ...(extra.length > 0 ? [`${extra.slice(0, 5).join(", ")} not expected`] : []),
  ];
  const why = what.length > 0 ? what.join("; ") : "another order";
  throw permanent(
    "SourceInvalid",
    `${file}: its columns differ from those of ${first.file}: ${why}; all files need the same header`,
  );
}
