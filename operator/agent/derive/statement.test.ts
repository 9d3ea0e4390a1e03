import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Database } from "../table/database.ts";
import { checkStatement } from "./statement.ts";

let folder: string;
let database: Database;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lemnis-statement-"));
  database = await Database.open(folder, []);
});
afterAll(async () => {
  database.close();
  await rm(folder, { recursive: true });
});

const check = (sql: string) => checkStatement(database, sql, ["a", "b", "raw"]);

describe("allowed:", () => {
  test.each([
    "SELECT * FROM a",
    "select x, sum(y) filter (where y > 0) over (partition by x order by t) from A",
    "FROM raw",
    "SELECT * FROM a ASOF LEFT JOIN b USING (id, t);",
    "-- what it is\nSELECT * FROM a JOIN (SELECT * FROM b) USING (id) -- the end",
    "WITH c AS (SELECT * FROM a), d AS (SELECT * FROM c) SELECT * FROM d WHERE EXISTS (SELECT 1 FROM c)",
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT * FROM n, a",
    "SELECT * FROM a UNION BY NAME SELECT * FROM b",
    "SELECT i FROM range(10) AS r(i)",
    "SELECT unnest([1, 2]) AS x, list_transform([1], lambda y: y + 1), [z * 2 for z in [1]]",
    "SELECT * FROM a, LATERAL (SELECT a.x + 1), unnest([1, 2])",
    "SELECT age(t, TIMESTAMP '2026-01-01'), date_trunc('day', t), nullif(x, 0), split_part(s, ',', 1) FROM a",
    "SELECT list_sum([1]), histogram(x), quantile_cont(x, 0.5), regexp_extract(s, 'a+'), user FROM a",
    "VALUES (1), (2)",
    "PIVOT (SELECT * FROM a) ON x IN (1, 2) USING sum(y)",
  ])("%s", async (sql) => {
    await check(sql);
  });
});

test.each([
  ["SELECT * FROM a", false],
  ["SELECT * FROM (SELECT * FROM a ORDER BY x)", false],
  ["WITH c AS (SELECT * FROM a ORDER BY x) SELECT * FROM c", false],
  ["SELECT * FROM a ORDER BY x", true],
  ["SELECT * FROM a UNION ALL SELECT * FROM b ORDER BY x LIMIT 3", true],
])("ORDER BY at the end of %s: %s", async (sql, ordered) => {
  expect((await check(sql)).ordered).toBe(ordered);
});

const refused: [what: string, says: RegExp, statements: string[]][] = [
  [
    "what is no SELECT, or more than one",
    /SELECT/,
    [
      "",
      "-- nothing",
      "SELECT 1; SELECT 2",
      "SELECT 1; DROP TABLE a",
      "COPY (SELECT 1) TO 'x.csv'",
      "COPY a FROM 'x.csv'",
      "ATTACH 'other.duckdb'",
      "INSTALL httpfs",
      "LOAD httpfs",
      "SET memory_limit = '1TB'",
      "RESET memory_limit",
      "PRAGMA database_list",
      "CALL pragma_version()",
      "CREATE TABLE c AS SELECT 1",
      "INSERT INTO a VALUES (1)",
      "UPDATE a SET x = 1",
      "DELETE FROM a",
      "DROP VIEW a",
      "EXPORT DATABASE 'x'",
      "IMPORT DATABASE 'x'",
      "CHECKPOINT",
      "VACUUM",
      "EXPLAIN ANALYZE SELECT 1",
      "PREPARE p AS SELECT 1",
      "EXECUTE p",
      "USE memory",
      "BEGIN",
      "CREATE MACRO f() AS 1",
      "CREATE SECRET (TYPE s3)",
      "SHOW TABLES",
      "SHOW ALL TABLES",
      "DESCRIBE a",
      "SUMMARIZE a",
      "SELECT * FROM (DESCRIBE a)",
    ],
  ],
  ["bad syntax", /has a syntax error at or near "a"/, ["SELECT * FORM a"]],
  [
    "what is not in from",
    /not in from: its tables are a, b, raw/,
    [
      "SELECT * FROM c",
      "SELECT * FROM '/lemnis/secret/token'",
      "SELECT * FROM 'inputs/a/all/data.csv'",
      'SELECT * FROM "x.parquet"',
      "SELECT * FROM 's3://bucket/key.parquet'",
      "SELECT * FROM 'https://host/data.csv'",
      "SELECT * FROM main.a",
      'SELECT * FROM "table".main.a',
      "SELECT * FROM duckdb_settings",
      "SELECT * FROM sqlite_master",
      "SELECT * FROM information_schema.tables",
      "SELECT * FROM pg_catalog.pg_settings",
      "SELECT * FROM a WHERE x IN (SELECT name FROM duckdb_secrets)",
      "SELECT (SELECT max(x) FROM c) FROM a",
      // A name of WITH is one only after it, and only in its own SELECT.
      "WITH duckdb_settings AS (SELECT * FROM duckdb_settings) SELECT * FROM duckdb_settings",
      "SELECT * FROM (WITH c AS (SELECT 1) SELECT * FROM c), c",
      "WITH d AS (SELECT * FROM c), c AS (SELECT 1) SELECT * FROM d",
      'SELECT * FROM "input 0"',
    ],
  ],
  [
    "functions that read",
    /must not read with \w+\(\)/,
    [
      "SELECT * FROM read_csv('x.csv')",
      "SELECT * FROM READ_CSV_AUTO('x.csv')",
      "SELECT * FROM read_parquet(['x'])",
      "SELECT * FROM read_text('/etc/passwd')",
      "SELECT * FROM read_blob('/etc/passwd')",
      "SELECT * FROM read_json('x')",
      "SELECT * FROM parquet_metadata('x')",
      "SELECT * FROM parquet_scan('x')",
      "SELECT * FROM read_duckdb('x')",
      "SELECT * FROM glob('/**')",
      "SELECT * FROM sniff_csv('x')",
      "SELECT * FROM query('SELECT 1')",
      "SELECT * FROM query_table('duckdb_settings')",
      "SELECT * FROM json_execute_serialized_sql('{}')",
      "SELECT * FROM duckdb_settings()",
      "SELECT * FROM duckdb_secrets()",
      "SELECT * FROM pragma_table_info('a')",
      "SELECT * FROM system.main.duckdb_tables()",
      "SELECT * FROM a WHERE EXISTS (FROM glob('/*'))",
      "SELECT * FROM histogram(a, x)",
    ],
  ],
  [
    "what differs from run to run",
    /the same inputs must give the same rows/,
    [
      "SELECT random() FROM a",
      "SELECT Random() FROM a",
      "SELECT main.random() FROM a",
      "SELECT uuid()",
      "SELECT gen_random_uuid()",
      "SELECT uuidv7()",
      "SELECT now()",
      "SELECT today()",
      "SELECT current_date",
      "SELECT CURRENT_TIMESTAMP",
      "SELECT localtimestamp",
      "SELECT current_localtimestamp()",
      "SELECT main.current_localtime()",
      "SELECT get_current_timestamp()",
      "SELECT transaction_timestamp()",
      "SELECT ago(INTERVAL 1 DAY)",
      "SELECT age(t) FROM a",
      "SELECT nextval('s')",
      "SELECT txid_current()",
      "SELECT current_setting('temp_directory')",
      "SELECT version()",
      "SELECT pg_sleep(1)",
      "SELECT sleep_ms(1)",
      "SELECT setseed(0.5)",
      "SELECT error('told')",
      "SELECT reservoir_quantile(x, 0.5) FROM a",
      "SELECT * FROM a ORDER BY random()",
      "SELECT * FROM a WHERE t > now() - INTERVAL 1 DAY",
      "SELECT * FROM range((random() * 10)::INT)",
      "SELECT * FROM (VALUES (random()))",
      "SELECT list_transform([1], lambda x: random())",
      "SELECT sum(random()) OVER () FROM a",
      "SELECT first(x ORDER BY random()) FROM a",
      "SELECT x FROM a LIMIT (random() * 3)::INT",
      "SELECT * FROM a QUALIFY random() < 0.5",
      "SELECT * REPLACE (now() AS x) FROM a",
      "SELECT struct_pack(x := now())",
      "SELECT CASE WHEN random() < 0.5 THEN 1 END",
      "SELECT COLUMNS(c -> c = current_query()) FROM a",
    ],
  ],
  ["samples", /sample/, ["SELECT * FROM a USING SAMPLE 10%", "SELECT * FROM a TABLESAMPLE 10 ROWS"]],
];

describe.each(refused)("refused: %s", (_, says, statements) => {
  test.each(statements)("%s", async (sql) => {
    await expect(check(sql)).rejects.toMatchObject({
      reason: "TransformInvalid",
      message: expect.stringMatching(says),
    });
  });
});
