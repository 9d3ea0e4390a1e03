import type { LocalFile } from "../artifact/files.ts";
import { clip, errorText, permanent } from "../failure.ts";
import { type Database, identifier, literal } from "./database.ts";
import { checkNames, checkSame, type RawColumn, type RawTable } from "./raw.ts";
import { type SplitRule, withSplit } from "./split.ts";

/** Parquet files bring their types; all must have the same. */
export async function readParquet(database: Database, files: readonly LocalFile[], rule: SplitRule): Promise<RawTable> {
  let first: { names: string[]; types: string[]; file: string } | undefined;
  let columns: RawColumn[] = [];
  const parts: RawTable["parts"] = [];
  for (const { path, local } of files) {
    const source = `read_parquet(${literal(local)})`;
    const described = await guarded(path, () => database.rows(`DESCRIBE SELECT * FROM ${source}`));
    const names = described.map(({ column_name }) => String(column_name));
    const types = described.map(({ column_type }) => String(column_type));
    if (first) {
      checkSame(names, path, first);
      checkTypes({ names, types, file: path }, first);
    } else {
      checkNames(names, path);
      first = { names, types, file: path };
      columns = names.map((name, index) => {
        const text = `c${index}::VARCHAR`;
        return { name, cell: `c${index}`, text, written: text, native: types[index] ?? "VARCHAR" };
      });
      await database.run(
        `CREATE TABLE raw (${columns.map(({ cell, native }) => `${cell} ${native}`).join(", ")}, split UTINYINT)`,
      );
    }
    const select = columns.map(({ name, cell }) => `${identifier(name)} AS ${cell}`).join(", ");
    const sql = `INSERT INTO raw ${withSplit(columns, rule, `(SELECT ${select} FROM ${source})`)}`;
    parts.push({ path, rows: await guarded(path, () => database.run(sql)) });
  }
  return { columns, parts, rows: parts.reduce((sum, { rows }) => sum + rows, 0) };
}

interface FileColumns {
  names: string[];
  types: string[];
  file: string;
}

function checkTypes({ names, types, file }: FileColumns, first: FileColumns): void {
  const index = types.findIndex((type, index) => type !== first.types[index]);
  if (index < 0) return;
  throw permanent(
    "SourceInvalid",
    `${file}: column ${names[index]} is ${types[index]}, but ${first.types[index]} in ${first.file}: write all files with one schema`,
  );
}

async function guarded<Result>(path: string, query: () => Promise<Result>): Promise<Result> {
  try {
    return await query();
  } catch (error) {
    const why = clip(errorText(error).split("\n")[0] ?? "", 300);
    throw permanent("SourceInvalid", `${path} can't be read as Parquet: ${why}`);
  }
}
