import type { DatasetFormat } from "../../store/api.ts";
import type { LocalFile } from "../artifact/files.ts";
import { permanent } from "../failure.ts";
import { readCsv } from "./csv.ts";
import type { Database } from "./database.ts";
import { readJsonl } from "./jsonl.ts";
import { readParquet } from "./parquet.ts";
import type { SplitRule } from "./split.ts";

export type TableFormat = Exclude<DatasetFormat, "Files">;

/** A column of the table `raw`, whose cells are as the source writes them. */
export interface RawColumn {
  name: string;
  /** Its column in `raw`. */
  cell: string;
  /** SQL: the cell's value as text. */
  text: string;
  /** SQL: the cell as written, where a quoted "5" is no number. */
  written: string;
  /** The column type of DuckDB where the format has types. */
  native?: string;
}

/** The table `raw`: one row for each row of the files, in their order, with its split's number in `split`. */
export interface RawTable {
  columns: RawColumn[];
  rows: number;
  /** Rows by file, in order. */
  parts: { path: string; rows: number }[];
}

export interface ReadRequest {
  format: TableFormat;
  files: readonly LocalFile[];
  rule: SplitRule;
}

const readers = { CSV: readCsv, JSONL: readJsonl, Parquet: readParquet };

/** Reads the files into the table `raw`. Files that can't be read, or differ in columns, are SourceInvalid. */
export async function readRaw(database: Database, { format, files, rule }: ReadRequest): Promise<RawTable> {
  return readers[format](database, files, rule);
}

/** Refuses names that DuckDB or the store could not tell apart, or that nobody can type. */
export function checkNames(names: readonly string[], file: string): void {
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
