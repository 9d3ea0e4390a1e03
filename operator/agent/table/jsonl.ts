import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { LocalFile } from "../artifact/files.ts";
import { clip, errorText, permanent, type TaskError } from "../failure.ts";
import { type Database, identifier, literal, pathList, type Row } from "./database.ts";
import { checkNames, columnLimit, type OpenRequest, type RawColumn, type RawTable } from "./raw.ts";
import { carriageReturn, lineFeed, markLength, type RecordShape, readRecords, space, tab } from "./records.ts";

const shape: RecordShape = { lineEnd: lineFeed };
/** DuckDB's parser ends the process on JSON that is nested a hundred thousand deep. */
const deepest = 1000;

/** One JSON object a line. The columns are all keys of all files, in the order they first appear; an absent key is null. */
export async function openJsonl(database: Database, { files: given, folder }: OpenRequest): Promise<RawTable> {
  const files: LocalFile[] = [];
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
    explain: (error) => jsonError(error, files),
    records: () => ({ shape, header: false, blanks: [space, tab, carriageReturn, lineFeed] }),
  };
}

/** DuckDB takes no byte order mark before JSON: a file that has one is copied without it. */
async function withoutMark({ path, local }: LocalFile, folder: string): Promise<LocalFile> {
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

async function readNames(database: Database, files: readonly LocalFile[]): Promise<string[]> {
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
async function readKeys(database: Database, file: LocalFile): Promise<string[]> {
  const lines = `read_json_objects(${pathList([file])}, format = 'newline_delimited', compression = 'uncompressed',
    hive_partitioning = false)`;
  let found: Row[];
  try {
    // A line without keys gives a null. No line has 2^24 of them.
    found = await database.rows(
      `SELECT key FROM (SELECT unnest(keys) AS key, line * 16777216 + generate_subscripts(keys, 1) AS place
           FROM (SELECT coalesce(nullif(json_keys(json), []), [NULL]) AS keys, row_number() OVER () AS line FROM ${lines}))
         GROUP BY key ORDER BY min(place) LIMIT ${columnLimit + 2}`,
    );
  } catch (error) {
    throw await jsonError(error, [file]);
  }
  const keys = found.flatMap(({ key }) => (key === null ? [] : [String(key)]));
  const bad = keys.length < found.length ? await findBadLine(file) : undefined;
  if (bad) throw bad;
  return keys;
}

async function refuseDeep(file: LocalFile): Promise<void> {
  let number = 0;
  for await (const { bytes, ends } of readRecords(file, shape)) {
    let start = 0;
    for (const end of ends) {
      number += 1;
      if (end - start > deepest && depthOf(bytes, start, end) > deepest) {
        throw permanent(
          "SourceInvalid",
          `${file.path}, line ${number}: nested more than ${deepest} deep: flatten the objects`,
        );
      }
      start = end;
    }
  }
}

function depthOf(bytes: Buffer, start: number, end: number): number {
  let depth = 0;
  let most = 0;
  let quoted = false;
  for (let index = start; index < end; index++) {
    const byte = bytes[index];
    if (quoted) {
      if (byte === 0x5c) index += 1;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) most = Math.max(most, ++depth);
    else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return most;
}

/** DuckDB's own errors count lines from the wrong start: the files are looked through once more. */
async function jsonError(error: unknown, files: readonly LocalFile[]): Promise<TaskError> {
  for (const file of files) {
    const bad = await findBadLine(file);
    if (bad) return bad;
  }
  const why = clip(errorText(error).split("\n")[0] ?? "", 300);
  const shown = files.reduce((text, { local, path }) => text.replaceAll(local, path), why);
  return permanent("SourceInvalid", `the files can't be read as JSONL: ${shown}`);
}

/** The first line that is no JSON object. */
async function findBadLine(file: LocalFile): Promise<TaskError | undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  for await (const { bytes, ends } of readRecords(file, shape)) {
    let start = 0;
    for (const end of ends) {
      number += 1;
      const where = `${file.path}, line ${number}`;
      let line: string;
      try {
        line = decoder.decode(bytes.subarray(start, end)).trim();
      } catch {
        return permanent("SourceInvalid", `${where}: not valid UTF-8: save the file as UTF-8`);
      }
      start = end;
      if (line === "") continue;
      const problem = lineProblem(line);
      if (problem) return permanent("SourceInvalid", `${where}: ${problem}; every line must be one JSON object`);
    }
  }
  return undefined;
}

function lineProblem(line: string): string | undefined {
  try {
    // Python writes NaN and Infinity, and DuckDB reads them.
    const value: unknown = JSON.parse(line.replace(/-?\b(NaN|Infinity)\b/g, "null"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : "not an object";
  } catch (error) {
    return `not valid JSON (${clip(errorText(error), 120)})`;
  }
}
