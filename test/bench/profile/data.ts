import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

/** A table of numbers, categories, dates and some nulls, as people have them: 20 columns. */
const columns: readonly string[] = [
  "range AS id",
  ...Array.from({ length: 6 }, (_, n) => `round(random() * ${10 ** (n + 1)}, 4) AS real${n}`),
  "CASE WHEN random() < 0.95 THEN round(-ln(random()) * 50, 3) END AS skewed",
  ...Array.from({ length: 5 }, (_, n) => `(random() * ${10 ** (n + 1)})::BIGINT AS whole${n}`),
  ...Array.from({ length: 3 }, (_, n) => `'kind ' || (random() * ${10 ** (n + 1)})::INTEGER AS kind${n}`),
  "CASE WHEN random() < 0.9 THEN 'text ' || (random() * 1000000)::INTEGER END AS text",
  "random() < 0.3 AS flag",
  "DATE '2020-01-01' + (random() * 2000)::INTEGER AS day",
  "TIMESTAMP '2020-01-01' + to_seconds((random() * 100000000)::BIGINT) AS at",
];

export type DataFormat = "csv" | "parquet";

/** Writes the table once as CSV and once as Parquet. The same for the same number of rows. */
export async function writeData(folder: string, rows: number): Promise<Record<DataFormat, string>> {
  const files = { csv: join(folder, "data.csv"), parquet: join(folder, "data.parquet") };
  await query(
    `COPY (SELECT ${columns.join(", ")} FROM range(${rows})) TO '${files.parquet}' (FORMAT parquet)`,
    `COPY (FROM '${files.parquet}') TO '${files.csv}' (FORMAT csv)`,
  );
  return files;
}

/** The table as CSV alone. */
export async function writeCsv(file: string, rows: number): Promise<void> {
  await query(`COPY (SELECT ${columns.join(", ")} FROM range(${rows})) TO '${file}' (FORMAT csv)`);
}

async function query(...statements: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "1GB" });
  const connection = await instance.connect();
  await connection.run("SELECT setseed(0.5)");
  for (const statement of statements) await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
}
