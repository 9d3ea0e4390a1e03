/** What is wrong with lines that can't be read as JSON objects: where it is and what, never an excerpt, whose values may be sensitive. */
import type { NamedFile } from "../artifact/files.ts";
import { errorText, permanent, type TaskError } from "../failure.ts";
import { type Database, pathList } from "./database.ts";
import { lineFeed, type RecordShape, readRecords } from "./records.ts";

export const lineShape: RecordShape = { lineEnd: lineFeed };
/** DuckDB's parser ends the process on JSON that is nested a hundred thousand deep. */
const deepest = 1000;

export async function refuseDeep(file: NamedFile): Promise<void> {
  let number = 0;
  for await (const { bytes, ends } of readRecords(file, lineShape)) {
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

/** SQL: a file's lines, blank ones left out, as the column `json`. */
export function linesSql(file: NamedFile): string {
  return `read_json_objects(${pathList([file])}, format = 'newline_delimited', compression = 'uncompressed',
    hive_partitioning = false)`;
}

/** What DuckDB's error means. It counts lines from the wrong start: the files are looked through once more. */
export async function jsonError(
  error: unknown,
  { database, files }: { database: Database; files: readonly NamedFile[] },
): Promise<TaskError> {
  for (const file of files) {
    const bad = (await findBadLine(file)) ?? (await findTwice(database, file));
    if (bad) return bad;
  }
  const [text = ""] = errorText(error).split("\n");
  const name = files.find(({ local }) => text.includes(`"${local}"`))?.path ?? "the files";
  // Half a character, and the like, that JavaScript takes.
  const [, byte, what] = /^Invalid Input Error: Malformed JSON .* at byte (\d+) in line \d+: ([^".]+)/.exec(text) ?? [];
  const why = what === undefined ? text.split(":")[0] : `byte ${byte} of a line: ${what}`;
  return permanent("SourceInvalid", `${name} can't be read as JSONL: ${why}`);
}

/** The first line that is no JSON object. */
export async function findBadLine(file: NamedFile): Promise<TaskError | undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let number = 0;
  for await (const { bytes, ends } of readRecords(file, lineShape)) {
    let start = 0;
    for (const end of ends) {
      number += 1;
      const where = `${file.path}, line ${number}`;
      let line: string;
      try {
        line = decoder.decode(bytes.subarray(start, end)).trimEnd();
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
  // Python writes NaN and Infinity, and DuckDB reads them. Numbers of their lengths keep the columns.
  const json = line.replace(/-?\b(NaN|Infinity)\b/g, ({ length }) => "1".repeat(length));
  const message = syntaxError(json);
  if (message === undefined) return /^\s*\{/.test(json) ? undefined : "not an object";
  const [, what, at] = /^([^"]+?)(?: in JSON)? at position (\d+)/.exec(message) ?? [];
  if (what !== undefined) return `not valid JSON (column ${Number(at) + 1}: ${what})`;
  if (!isUnexpected(message)) return `not valid JSON (column ${json.length + 1}: Unexpected end)`;
  return `not valid JSON (column ${unexpectedColumn(json)}: Unexpected token)`;
}

function syntaxError(json: string): string | undefined {
  try {
    JSON.parse(json);
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

/** Of these JavaScript tells an excerpt and no position. */
function isUnexpected(message: string | undefined): boolean {
  return message?.startsWith("Unexpected token") === true;
}

/** The column of the token: the length of the shortest beginning of the line that has it. */
function unexpectedColumn(json: string): number {
  let [without, has] = [0, json.length];
  while (has - without > 1) {
    const middle = (without + has) >> 1;
    if (isUnexpected(syntaxError(json.slice(0, middle)))) has = middle;
    else without = middle;
  }
  return has;
}

/** The first object with a key that comes twice; of a file that DuckDB can read otherwise. */
async function findTwice(database: Database, file: NamedFile): Promise<TaskError | undefined> {
  const [found] = await database
    .rows(
      `SELECT row FROM (SELECT json_keys(json) AS keys, row_number() OVER () AS row FROM ${linesSql(file)})
         WHERE len(keys) > len(list_distinct(keys)) LIMIT 1`,
    )
    .catch(() => []);
  return found && permanent("SourceInvalid", `${file.path}, row ${found.row}: a key comes twice: leave one out`);
}
