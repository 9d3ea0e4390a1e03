import { checkStatement } from "../derive/statement.ts";
import { clip, errorText, TaskError } from "../failure.ts";
import type { ExpectationTask } from "../tasks.ts";
import { type CheckedTable, nameColumns } from "./table.ts";

/** Why the number that the SQL returns is not the one that is expected; undefined when it is. */
export async function judgeNumber(
  { sql, equals, min, max }: ExpectationTask & { sql: string },
  table: CheckedTable,
): Promise<string | undefined> {
  const { database, timeLimit } = table;
  await nameColumns(table);
  let rows: Awaited<ReturnType<typeof database.rowsWithin>>;
  try {
    await checkStatement(database, sql, ["data"]);
    rows = await database.rowsWithin(timeLimit, `SELECT * FROM (${sql}\n) LIMIT 2`);
  } catch (error) {
    const why = error instanceof TaskError ? error.message.replace(/^transform\.sql/, "it") : shown(error, table);
    return `sql: ${clip(why, 300)}`;
  }
  if (!rows) return `sql took longer than ${timeLimit / 1000} s`;
  const values = rows.flatMap((row) => Object.values(row));
  const [value] = values;
  if (values.length !== 1)
    return `sql must return one number, not ${rows.length} rows of ${values.length / (rows.length || 1)} columns`;
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || Number.isNaN(number))
    return "sql must return a number: cast it, as in sum(x)::DOUBLE";
  if (equals !== undefined && number !== equals) return `sql returned ${number}, not ${equals}`;
  if (min !== undefined && number < min) return `sql returned ${number}, less than ${min}`;
  if (max !== undefined && number > max) return `sql returned ${number}, more than ${max}`;
  return undefined;
}

/** DuckDB's messages about the SQL itself hold no values; of the others, with sensitive columns only their kind is safe. */
function shown(error: unknown, { columns }: CheckedTable): string {
  const line = errorText(error).split("\n")[0] ?? "";
  if (!columns.some(({ sensitive }) => sensitive) || /^(Parser|Binder|Catalog) Error:/.test(line)) return line;
  return /^[\w ]+ Error(?=:)/.exec(line)?.[0] ?? "DuckDB could not run it";
}
