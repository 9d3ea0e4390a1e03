import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Database } from "../table/database.ts";
import { unrepeatable } from "./functions.ts";

/** What each function gives without arguments, as far as it takes none, in a database of its own. */
async function results(folder: string): Promise<Map<string, string>> {
  const database = await Database.open(folder, []);
  try {
    const refused = await unrepeatable(database);
    const functions = await database.rows(
      `SELECT DISTINCT lower(function_name) AS name FROM duckdb_functions()
       WHERE function_type IN ('scalar', 'aggregate', 'macro') AND (len(parameters) = 0 OR varargs IS NOT NULL)`,
    );
    const found = new Map<string, string>();
    for (const name of functions.map(({ name }) => String(name)).filter((name) => !refused.has(name))) {
      const row = await database.row(`SELECT "${name}"()::VARCHAR AS value`).catch(() => undefined);
      if (row) found.set(name, String(row.value));
    }
    return found;
  } finally {
    database.close();
  }
}

test("every function of DuckDB that takes no argument and is not refused gives the same always", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lemnis-functions-"));
  try {
    const first = await results(join(folder, "1"));
    await sleep(5);
    expect(await results(join(folder, "2"))).toEqual(first);
    expect([...first.keys()]).toEqual(expect.arrayContaining(["pi", "count", "list_value"]));
  } finally {
    await rm(folder, { recursive: true });
  }
});
