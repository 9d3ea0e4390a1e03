import type { NamedFile } from "../artifact/files.ts";
import { clip, errorText, permanent, type TaskError } from "../failure.ts";
import { type Database, identifier, pathList, type Row } from "./database.ts";
import { checkNames, checkSame, type OpenRequest, type RawColumn, type RawTable } from "./raw.ts";

/** Parquet files bring their types; all must have the same. */
export async function openParquet(database: Database, { files }: OpenRequest): Promise<RawTable> {
  let first: FileColumns | undefined;
  for (const file of files) {
    const described = await describe(database, file);
    const names = described.map(({ column_name }) => String(column_name));
    const types = described.map(({ column_type }) => String(column_type));
    if (first) {
      checkSame(names, file.path, first);
      checkTypes({ names, types, file: file.path }, first);
    } else {
      checkNames(names, file.path);
      first = { names, types, file: file.path };
    }
  }
  const { names = [], types = [] } = first ?? {};
  const columns: RawColumn[] = names.map((name, index) => {
    const text = `c${index}::VARCHAR`;
    return { name, cell: `c${index}`, text, written: text, native: types[index] ?? "VARCHAR" };
  });
  const select = columns.map(({ name, cell }) => `${identifier(name)} AS ${cell}`).join(", ");
  return {
    columns,
    files,
    relation: (file) => {
      const read = file === undefined ? files : files.slice(file, file + 1);
      return `(SELECT ${select}, (${file ?? 0} + file_index)::UINTEGER AS file, file_row_number AS row
        FROM read_parquet(${pathList(read)}, hive_partitioning = false))`;
    },
    mend: async () => false,
    explain: async (error) => parquetError(error, files),
  };
}

interface FileColumns {
  names: string[];
  types: string[];
  file: string;
}

async function describe(database: Database, file: NamedFile): Promise<Row[]> {
  try {
    return await database.rows(`DESCRIBE SELECT * FROM read_parquet(${pathList([file])}, hive_partitioning = false)`);
  } catch (error) {
    throw parquetError(error, [file]);
  }
}

function checkTypes({ names, types, file }: FileColumns, first: FileColumns): void {
  const index = types.findIndex((type, index) => type !== first.types[index]);
  if (index < 0) return;
  throw permanent(
    "SourceInvalid",
    `${file}: column ${names[index]} is ${types[index]}, but ${first.types[index]} in ${first.file}: write all files with one schema`,
  );
}

function parquetError(error: unknown, files: readonly NamedFile[]): TaskError {
  const text = errorText(error);
  const [first] = files;
  const at = files.find(({ local }) => text.includes(local)) ?? first;
  const why = files.reduce(
    (shown, { local, path }) => shown.replaceAll(local, path),
    clip(text.split("\n")[0] ?? "", 300),
  );
  const name = files.length > 1 && at === first && !text.includes(first?.local ?? "") ? "the files" : at?.path;
  return permanent("SourceInvalid", `${name} can't be read as Parquet: ${why}`);
}
