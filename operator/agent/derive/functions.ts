import type { Database } from "../table/database.ts";

/** They tell the time, of the session, of how values are stored, or draw, and DuckDB's catalog does not say so. */
const alsoUnrepeatable = [
  ...["current_localtime", "current_localtimestamp", "current_setting", "getvariable", "reservoir_quantile"],
  ...["vector_type", "version"],
];

/** Names of the functions that may give another result for the same arguments, as DuckDB's own catalog has them. */
export async function unrepeatable(database: Database): Promise<ReadonlySet<string>> {
  const rows = await database.rows(
    `SELECT DISTINCT lower(function_name) AS name FROM duckdb_functions()
     WHERE stability != 'CONSISTENT'
        OR function_type = 'macro' AND regexp_matches(macro_definition, '(?i)\\b(current_|sleep_|select\\b|duckdb)')`,
  );
  return new Set([...rows.map(({ name }) => String(name)), ...alsoUnrepeatable]);
}
