/** A real PostgreSQL. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ArtifactLocation } from "../../../operator/agent/tasks.ts";
import { type PostgresServer, startPostgres } from "../../servers/postgres.ts";
import { contents, failure, type Pod, startPod } from "./sources.ts";
import { namespace, snapshotTask, startWorld } from "./world.ts";

let server: PostgresServer;
let pod: Pod;

beforeAll(async () => {
  server = await startPostgres();
  await server.sql(`
    CREATE TABLE wine (id bigint, quality double precision, good boolean, name text, day date, at timestamptz);
    INSERT INTO wine VALUES (1, 0.1, true, 'red, "dry"', '2026-01-02', '2026-01-02 03:04:05+02'),
      (2, NULL, false, '', NULL, NULL), (3, 1e300, NULL, NULL, '2026-01-03', '2026-01-03 00:00:00Z'), (4, 2, true, '5', NULL, NULL);
    CREATE TABLE secret (a int);
    CREATE ROLE reader LOGIN PASSWORD 'reader-secret';
    GRANT SELECT ON wine TO reader;`);
});
afterAll(() => server.stop());
beforeEach(async () => {
  pod = await startPod();
  await pod.secret({ username: "reader", password: "reader-secret", "ca.crt": server.ca });
});
afterEach(() => pod.close());

const uri = (parameters = "", host = "127.0.0.1") => `postgres://${host}:${server.port}/postgres${parameters}`;
const fetch = (query: string, changes: Partial<ArtifactLocation> = {}) => pod.fetch({ uri: uri(), query, ...changes });

test("a query's rows, in which text is quoted, numbers are not, and null is empty", async () => {
  const rows = [
    "id,quality,good,name,day,at",
    '1,0.1,true,"red, ""dry""",2026-01-02,2026-01-02 01:04:05+00',
    '2,,false,"",,',
    "3,1e+300,,,2026-01-03,2026-01-03 00:00:00+00",
    '4,2,true,"5",,',
  ];
  const fetched = await fetch("SELECT * FROM wine ORDER BY id;");
  expect(await contents(fetched)).toEqual({ "data.csv": `${rows.join("\n")}\n` });
  expect(fetched).not.toHaveProperty("state");
});

test("become a version with their types", async () => {
  const world = await startWorld();
  for (const [key, value] of Object.entries({ username: "reader", password: "reader-secret", "ca.crt": server.ca })) {
    await writeFile(join(world.paths.secret, key), value);
  }
  const source = { uri: uri(), query: "SELECT id, quality, good, name, day FROM wine", secret: true };
  expect((await world.run(snapshotTask("", { source }))).message).toMatchObject({ version: 1, rows: 4 });
  const { columns } = await world.store.getDatasetVersion(namespace, "wine", "1");
  expect(columns.map(({ name, type }) => [name, type])).toEqual([
    ["id", "Int64"],
    ["quality", "Double"],
    ["good", "Boolean"],
    ["name", "String"],
    ["day", "Date"],
  ]);
  await world.close();
});

test("many rows stream", async () => {
  let told = 0;
  const query = "SELECT n, repeat('x', 100) AS text FROM generate_series(1, 200000) AS n";
  const fetched = await pod.fetch({ uri: uri(), query }, { progress: (bytes) => (told += bytes) });
  expect(fetched).toMatchObject({ files: [{ size: told }] });
  expect(told).toBeGreaterThan(20_000_000);
});

describe("TLS", () => {
  test("is verified by the host's name, unless the uri says otherwise", async () => {
    const query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    const secure = { "data.csv": "ssl\ntrue\n" };
    expect(await contents(await fetch(query))).toEqual(secure);
    expect(await contents(await fetch(query, { uri: uri("?sslmode=require") }))).toEqual(secure);
    expect(await contents(await fetch(query, { uri: uri("?sslmode=disable") }))).toEqual({
      "data.csv": "ssl\nfalse\n",
    });
    await pod.secret({ "ca.crt": "" });
    await expect(fetch(query)).rejects.toMatchObject(failure("SourceUnreachable", "ca.crt", true));
    expect(await contents(await fetch(query, { uri: uri("?sslmode=require") }))).toEqual(secure);
  });
});

describe("refused with a reason:", () => {
  test.each<[string, string, RegExp]>([
    ["DELETE FROM wine RETURNING id", "SourceInvalid", /query failed|only read/],
    ["WITH gone AS (DELETE FROM wine RETURNING id) SELECT * FROM gone", "SourceInvalid", /query failed|only read/],
    ["SELECT 1; DROP TABLE wine", "SourceInvalid", /multiple commands/],
    ["SELECT 1) TO PROGRAM 'touch /tmp/x' --", "SourceInvalid", /syntax error/],
    ["SELECT set_config('transaction_read_only', 'off', false)", "SourceInvalid", /read-write/],
    ["SELECT nextval('none')", "SourceInvalid", /query failed/],
    ["SELECT 1/0", "SourceInvalid", /division by zero/],
    ["SELECT 1 AS a, 2 AS a", "SourceInvalid", /two columns named a/],
    ["SELECT * FROM none", "SourceInvalid", /"none" does not exist/],
    ["SELECT * FROM secret", "SourceForbidden", /permission denied/],
    ["CREATE TABLE x (a int)", "SourceInvalid", /write a SELECT/],
  ])("%s", async (query, reason, says) => {
    await expect(fetch(query)).rejects.toMatchObject(failure(reason, says));
    expect(await server.sql("SELECT count(*) FROM wine")).toBe("4\n");
  });

  test("a wrong password, which is not told, a database that is not there, and no Secret", async () => {
    await pod.secret({ password: "wrong-and-not-told" });
    const wrong = fetch("SELECT 1");
    await expect(wrong).rejects.toMatchObject(failure("SourceForbidden", "check the Secret"));
    await expect(wrong).rejects.toMatchObject({ message: expect.not.stringContaining("not-told") });
    await pod.secret({ password: "reader-secret" });
    const nowhere = fetch("SELECT 1", { uri: `postgres://127.0.0.1:${server.port}/none` });
    await expect(nowhere).rejects.toMatchObject(failure("SourceNotFound", "none"));
    await expect(fetch("SELECT 1", { secret: false })).rejects.toMatchObject(failure("SourceForbidden", "username"));
  });

  test("a server that is not there, and one where the platform team lets nobody go", async () => {
    await expect(fetch("SELECT 1", { uri: "postgres://127.0.0.1:1/a" })).rejects.toMatchObject(
      failure("SourceUnreachable", "ECONNREFUSED", true),
    );
    await expect(fetch("SELECT 1", { deniedRanges: ["127.0.0.0/8"] })).rejects.toMatchObject(
      failure("SourceForbidden", "denied by the platform team"),
    );
    const strict = await startPod({ allowLoopback: false });
    await strict.secret({ username: "reader", password: "x" });
    for (const host of ["127.0.0.1", "localhost", "[::1]", "2130706433"]) {
      await expect(strict.fetch({ uri: uri("", host), query: "SELECT 1" })).rejects.toMatchObject(
        failure("SourceForbidden", "loopback"),
      );
    }
    await strict.close();
  });

  test.each(["?sslmode=prefer", "?host=/run/postgresql", "?options=-c"])("the parameter %s", async (parameters) => {
    await expect(fetch("SELECT 1", { uri: uri(parameters) })).rejects.toMatchObject(
      failure("SourceInvalid", "no parameter but sslmode"),
    );
  });

  test("another format than CSV", async () => {
    const wanted = (path: string) => path.endsWith(".parquet");
    await expect(pod.fetch({ uri: uri(), query: "SELECT 1" }, { wanted })).rejects.toMatchObject(
      failure("SourceInvalid", "format: CSV"),
    );
  });
});
