import { join } from "node:path";
import type { DatasetVersionDetail } from "../../store/api.ts";
import { placeSplit } from "../artifact/split.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import { Database } from "../table/database.ts";
import { readStored } from "../table/stored.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { EvaluateTask } from "../tasks.ts";
import type { Value } from "./features.ts";

/** The rows that the model has not seen, in their types. */
export class HeldOut {
  readonly columns: readonly TypedColumn[];
  readonly rows: number;
  /** Columns with a missing value. */
  readonly nullable: ReadonlySet<string>;
  readonly #database: Database;

  private constructor(database: Database, table: Pick<HeldOut, "columns" | "rows" | "nullable">) {
    this.#database = database;
    this.columns = table.columns;
    this.rows = table.rows;
    this.nullable = table.nullable;
  }

  /** Brings the split from the store and reads it with the types that its version records. */
  static async open(context: AgentContext, task: EvaluateTask, version: DatasetVersionDetail): Promise<HeldOut> {
    const { work } = context.paths;
    const { namespace, dataset, split, location } = task;
    const folder = join(work, "held-out");
    const files = await placeSplit(context, { namespace, dataset, version, split, folder, location });
    if (files.length === 0) {
      throw permanent(
        "SourceNotFound",
        `version ${task.datasetVersion} of Dataset ${task.dataset} has no split ${task.split}; it has ${Object.keys(version.splits).join(", ")}`,
      );
    }
    const database = await Database.open(join(work, "database"), [work]);
    try {
      const columns = await readStored(database, version, { files, folder, table: "data" });
      const rows = Number((await database.row("SELECT count(*) AS rows FROM data")).rows);
      if (rows === 0) {
        throw permanent(
          "EmptyDataset",
          `the split ${task.split} of Dataset ${task.dataset} has no rows: add data, or give it more percent`,
        );
      }
      const nulls = await database.aggregate(
        columns.map(({ cell, type }) => {
          const value = type === "Double" ? `nullif(${cell}, 'NaN'::DOUBLE)` : cell;
          return `count(*) - count(${value}) AS ${cell}`;
        }),
        "data",
      );
      const nullable = new Set(columns.filter(({ cell }) => Number(nulls[cell]) > 0).map(({ name }) => name));
      return new HeldOut(database, { columns, rows, nullable });
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Some rows in their order, one value for each column; dates and timestamps as text. */
  async read(start: number, count: number): Promise<Value[][]> {
    const select = this.columns.map(({ cell, type }) =>
      type === "Date" || type === "Timestamp" ? `${cell}::VARCHAR` : cell,
    );
    const columns = await this.#database.columns(
      `SELECT ${select.join(", ")} FROM data WHERE rowid >= ${start} AND rowid < ${start + count} ORDER BY rowid`,
    );
    const rows = columns[0]?.length ?? 0;
    return Array.from({ length: rows }, (_, row) => columns.map((column) => column[row] as Value));
  }

  /** The different values of a column; dates and timestamps as text. */
  async distinct(name: string): Promise<NonNullable<Value>[]> {
    const { cell = "", type } = this.columns.find((column) => column.name === name) ?? {};
    const value = type === "Date" || type === "Timestamp" ? `${cell}::VARCHAR` : cell;
    const [values = []] = await this.#database.columns(`SELECT DISTINCT ${value} FROM data WHERE ${cell} IS NOT NULL`);
    return values as NonNullable<Value>[];
  }

  close(): void {
    this.#database.close();
  }
}
