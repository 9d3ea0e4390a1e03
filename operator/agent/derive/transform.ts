import { join } from "node:path";
import type { AgentContext } from "../context.ts";
import { asTaskError, clip, errorText, permanent, TaskError } from "../failure.ts";
import { Database, literal } from "../table/database.ts";
import type { DeclaredColumn, DeriveTask } from "../tasks.ts";
import { type Input, openInputs } from "./inputs.ts";
import { joinPointInTime, type Named } from "./point-in-time.ts";
import { castColumns, inherit, readDescription } from "./result.ts";
import { checkStatement } from "./statement.ts";

export interface Derived {
  /** A Parquet file. */
  file: string;
  rows: number;
  columns: DeclaredColumn[];
  inputs: Input[];
}

/** Joins and transforms the inputs, into one file under `folder`. */
export async function transform(context: AgentContext, task: DeriveTask, folder: string): Promise<Derived> {
  // One thread: the order in which floating-point numbers are added is then always the same, and so are the bytes.
  const database = await Database.open(join(context.paths.work, "database"), [folder], { threads: 1 });
  try {
    const inputs = await openInputs(context, task, { database, folder: join(folder, "inputs") });
    const sql = new Sql(database, inputs, context.timing.transform);
    const known: Named[] = inputs.flatMap(({ columns }) => columns);
    const tables = inputs.map(({ name }) => name);
    let order = "";
    if (task.pointInTime) {
      const joined = joinPointInTime(inputs, task.pointInTime);
      await sql.run(`CREATE TABLE joined AS ${joined.sql}`);
      tables.push("joined");
      known.unshift(...joined.columns);
    }
    if (task.sql !== undefined) {
      const { ordered } = await checkStatement(database, task.sql, tables);
      if (!ordered) order = " ORDER BY ALL";
    }
    await sql.define(`CREATE VIEW "the result" AS ${task.sql ?? "SELECT * FROM joined"}`);
    const columns = readDescription(await database.rows('DESCRIBE "the result"'));
    const file = join(folder, "result.parquet");
    const rows = await sql.run(
      `COPY (SELECT ${castColumns(columns)} FROM "the result"${order}) TO ${literal(file)} (FORMAT parquet)`,
    );
    if (rows === 0) throw permanent("EmptyDataset", "the transform returned no rows");
    return { file, rows, columns: inherit(columns, known, task.columns), inputs };
  } finally {
    database.close();
  }
}

/** Runs the tenant's SQL: in a time that is limited for all of it, and with failures in words. */
class Sql {
  readonly #database: Database;
  readonly #sensitive: boolean;
  readonly #limit: number;
  readonly #deadline: number;

  constructor(database: Database, inputs: readonly Input[], limit: number) {
    this.#database = database;
    this.#sensitive = inputs.some(({ columns }) => columns.some(({ sensitive }) => sensitive));
    this.#limit = limit;
    this.#deadline = performance.now() + limit;
  }

  /** A definition reads no rows: DuckDB's words about it hold no values. */
  async define(sql: string): Promise<void> {
    try {
      await this.#database.run(sql);
    } catch (error) {
      throw invalid(words(error));
    }
  }

  async run(sql: string): Promise<number> {
    try {
      const rows = await this.#database.runWithin(Math.max(1, this.#deadline - performance.now()), sql);
      if (rows !== undefined) return rows;
    } catch (error) {
      throw this.#failure(error);
    }
    throw invalid(`did not end within ${this.#limit / 60_000} minutes: make it do less, or derive in two steps`);
  }

  #failure(error: unknown): TaskError {
    if (error instanceof TaskError) return error;
    const text = words(error);
    if (/No space left|max_temp_directory_size/.test(text))
      return asTaskError(Object.assign(new Error(text), { code: "ENOSPC" }));
    if (/^Out of Memory/.test(text)) return invalid("needs more memory than there is: raise resources.limits.memory");
    const [kind] = text.split(":");
    return invalid(this.#sensitive ? `failed: ${kind}; its words may hold values of sensitive columns` : text);
  }
}

/** DuckDB's message without the excerpt of the statement. */
function words(error: unknown): string {
  return clip(errorText(error).split("\n\nLINE ")[0]?.trim() ?? "", 400);
}

function invalid(message: string): TaskError {
  return permanent("TransformInvalid", `transform: ${message}`);
}
