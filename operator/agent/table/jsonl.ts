import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { NamedFile } from "../artifact/files.ts";
import { permanent } from "../failure.ts";
import { findBadLine, jsonError, lineShape, linesSql, refuseDeep } from "./bad-lines.ts";
import { type Database, identifier, literal, pathList, type Row } from "./database.ts";
import { checkNames, columnLimit, type OpenRequest, type RawColumn, type RawTable } from "./raw.ts";
import { carriageReturn, lineFeed, markLength, space, tab } from "./records.ts";

/** One JSON object a line. The columns are all keys of all files, in the order they first appear; an absent key is null. */
export async function openJsonl(database: Database, { files: given, folder }: OpenRequest): Promise<RawTable> {
  const files: NamedFile[] = [];
  for (const file of given) files.push(await withoutMark(file, folder));
  for (const file of files) await refuseDeep(file);
  const names = await readNames(database, files);
  const columns: RawColumn[] = names.map((name, index) => ({
    name,
    cell: `c${index}`,
    text: `(c${index} ->> '$')`,
    written: `c${index}::VARCHAR`,
  }));
  const spec = columns.map(({ name }) => `${literal(name)}: 'JSON'`).join(", ");
  return {
    columns,
    files,
    relation: (file) => {
      const read = file === undefined ? files : files.slice(file, file + 1);
      return `(SELECT ${columns.map(({ name, cell }) => `${identifier(name)} AS ${cell}`).join(", ")},
          (${file ?? 0} + file_index)::UINTEGER AS file
        FROM read_json(${pathList(read)}, format = 'newline_delimited', records = true,
          columns = {${spec}}, compression = 'uncompressed', hive_partitioning = false))`;
    },
    mend: async () => false,
    explain: (error) => jsonError(error, { database, files }),
    records: () => ({ shape: lineShape, header: false, blanks: [space, tab, carriageReturn, lineFeed] }),
  };
}

/** DuckDB takes no byte order mark before JSON: a file that has one is copied without it. */
async function withoutMark({ path, local }: NamedFile, folder: string): Promise<NamedFile> {
  let start: number;
  const handle = await open(local);
  try {
    const { buffer } = await handle.read(Buffer.alloc(3));
    start = markLength(buffer);
  } finally {
    await handle.close();
  }
  if (start === 0) return { path, local };
  const target = join(folder, "unmarked", path);
  await mkdir(dirname(target), { recursive: true });
  await pipeline(createReadStream(local, { start }), createWriteStream(target));
  return { path, local: target };
}

async function readNames(database: Database, files: readonly NamedFile[]): Promise<string[]> {
  const names = new Set<string>();
  for (const file of files) {
    const known = names.size;
    for (const key of await readKeys(database, file)) names.add(key);
    if (names.size > known) checkNames([...names], file.path);
  }
  if (names.size === 0) throw permanent("EmptyDataset", "the source holds no rows, or none with a key");
  return [...names];
}

/** The keys of all lines, in the order they first appear. What DuckDB infers leaves out rare ones and those that differ by case. */
async function readKeys(database: Database, file: NamedFile): Promise<string[]> {
  let found: Row[];
  try {
    // A line without keys gives a null. No line has 2^24 of them.
    found = await database.rows(
      `SELECT key FROM (SELECT unnest(keys) AS key, line * 16777216 + generate_subscripts(keys, 1) AS place
           FROM (SELECT coalesce(nullif(json_keys(json), []), [NULL]) AS keys, row_number() OVER () AS line FROM ${linesSql(file)}))
         GROUP BY key ORDER BY min(place) LIMIT ${columnLimit + 2}`,
    );
  } catch (error) {
    throw await jsonError(error, { database, files: [file] });
  }
  const keys = found.flatMap(({ key }) => (key === null ? [] : [String(key)]));
  const bad = keys.length < found.length ? await findBadLine(file) : undefined;
  if (bad) throw bad;
  return keys;
}
