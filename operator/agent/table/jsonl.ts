import { createReadStream } from "node:fs";
import type { LocalFile } from "../artifact/files.ts";
import { clip, errorText, permanent, TaskError } from "../failure.ts";
import { type Database, literal } from "./database.ts";
import { checkNames, type RawColumn, type RawTable } from "./raw.ts";
import { type SplitRule, withSplit } from "./split.ts";

/** One JSON object a line. The columns are all keys of all files, in the order they first appear; an absent key is null. */
export async function readJsonl(database: Database, files: readonly LocalFile[], rule: SplitRule): Promise<RawTable> {
  const names = await readKeys(database, files);
  checkNames(names, files[0]?.path ?? "");
  const columns: RawColumn[] = names.map((name, index) => ({
    name,
    cell: `c${index}`,
    text: `(c${index} ->> '$')`,
    written: `c${index}::VARCHAR`,
  }));
  await database.run(`CREATE TABLE raw (${columns.map(({ cell }) => `${cell} JSON`).join(", ")}, split UTINYINT)`);
  const spec = columns.map(({ name }) => `${literal(name)}: 'JSON'`).join(", ");
  const cells = columns.map(({ cell }) => cell).join(", ");
  const parts: RawTable["parts"] = [];
  for (const file of files) {
    const source = `read_json(${literal(file.local)}, format = 'newline_delimited', columns = {${spec}}, compression = 'uncompressed') t(${cells})`;
    const sql = `INSERT INTO raw ${withSplit(columns, rule, source)}`;
    parts.push({ path: file.path, rows: await explained(file, () => database.run(sql)) });
  }
  return { columns, parts, rows: parts.reduce((sum, { rows }) => sum + rows, 0) };
}

async function readKeys(database: Database, files: readonly LocalFile[]): Promise<string[]> {
  const names = new Set<string>();
  for (const file of files) {
    const source = `read_json(${literal(file.local)}, format = 'newline_delimited', maximum_depth = 1, sample_size = -1, compression = 'uncompressed')`;
    const described = await explained(file, () => database.rows(`DESCRIBE SELECT * FROM ${source}`));
    const found = described.map(({ column_name }) => String(column_name));
    // DuckDB answers one column `json` for an empty file, and when lines are no objects.
    const bad = found.length === 1 && found[0] === "json" ? await findBadLine(file) : undefined;
    if (bad === "empty") continue;
    if (bad) throw bad;
    for (const name of found) names.add(name);
  }
  if (names.size === 0) throw permanent("EmptyDataset", "the source holds no rows");
  return [...names];
}

async function explained<Result>(file: LocalFile, query: () => Promise<Result>): Promise<Result> {
  try {
    return await query();
  } catch (error) {
    const bad = await findBadLine(file);
    if (bad instanceof TaskError) throw bad;
    const why = clip(errorText(error).split("\n")[0] ?? "", 300).replaceAll(file.local, file.path);
    throw permanent("SourceInvalid", `${file.path} can't be read as JSONL: ${why}`);
  }
}

/** The first line that is no JSON object: DuckDB's own errors count lines from the wrong start. */
async function findBadLine({ local, path }: LocalFile): Promise<TaskError | "empty" | undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let objects = 0;
  for await (const bytes of lines(local)) {
    number += 1;
    const where = `${path}, line ${number}`;
    let line: string;
    try {
      line = decoder.decode(bytes).trim();
    } catch {
      return permanent("SourceInvalid", `${where}: not valid UTF-8: save the file as UTF-8`);
    }
    if (line === "") continue;
    objects += 1;
    const problem = lineProblem(line);
    if (problem) return permanent("SourceInvalid", `${where}: ${problem}; every line must be one JSON object`);
  }
  return objects === 0 ? "empty" : undefined;
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

async function* lines(local: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(local) as AsyncIterable<Buffer>) {
    let data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    for (let end = data.indexOf(0x0a); end >= 0; end = data.indexOf(0x0a)) {
      yield data.subarray(0, end);
      data = data.subarray(end + 1);
    }
    rest = data;
  }
  if (rest.length > 0) yield rest;
}
