/** The store's metadata in a real PostgreSQL: all that SQLite does, and what comes with a server that others run. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../../operator/store/open-database.ts";
import { Postgres, type PostgresAddress } from "../../../operator/store/postgres.ts";
import { Sqlite } from "../../../operator/store/sqlite.ts";
import { datasetInput, fileOf, openStore, runResult, sha256, useDatabase } from "../../builders/store.ts";
import { startPostgres } from "../../servers/postgres.ts";
import { startWorld, type World } from "./world.ts";

const server = await startPostgres();
afterAll(() => server.stop());

let databases = 0;
/** Nothing is in it yet. */
async function freshAddress() {
  const database = `store_${++databases}`;
  await server.sql(`CREATE DATABASE ${database}`);
  return { url: server.url(database), ca: server.ca };
}

describe("all that is asked of any database", () => {
  beforeAll(() => useDatabase(async () => Postgres.open(await freshAddress())));
  describe.each(["blobs", "datasets", "models", "retention", "runs"])("%s", async (part) => {
    await import(`../../../operator/store/${part}.test.ts`);
  });
});

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});

async function startStore(address: PostgresAddress) {
  const world = await startWorld(undefined, address);
  worlds.push(world);
  return world;
}

test("what was acknowledged is there once, though PostgreSQL is killed while it is written to", async () => {
  const world = await startStore(await freshAddress());
  const client = world.clientOf("team-a:default");
  const acknowledged: string[] = [];
  const failures = new Set<string>();
  let done = false;
  const writing = (async () => {
    for (let index = 0; !done; index++) {
      const run = sha256(`run ${index}`);
      // Whoever has no answer asks again, as pods do.
      for (;;) {
        const { status, body } = await world.request(
          "team-a:default",
          "PUT",
          `/v1/namespaces/team-a/trainingjobs/wine/runs/${run}`,
          runResult(),
        );
        if (status < 300) break;
        failures.add(`${status} ${body.error?.code}`);
        await sleep(20);
      }
      acknowledged.push(run);
    }
  })();
  for (let round = 0; round < 3; round++) {
    const before = acknowledged.length;
    while (acknowledged.length < before + 10) await sleep(5);
    await server.kill();
    while (failures.size === 0) await sleep(5);
    await server.restart();
  }
  const before = acknowledged.length;
  while (acknowledged.length < before + 10) await sleep(5);
  done = true;
  await writing;
  const { runs } = await client.trainingJob("team-a", "wine");
  expect(runs.map(({ digest }) => digest).sort()).toEqual(acknowledged.toSorted());
  expect([...failures]).toEqual(expect.arrayContaining(["503 DatabaseAway"]));
  expect([...failures].filter((failure) => failure !== "503 DatabaseAway")).toEqual([]);
});

test("while it is away the store says so, is not ready, and works again by itself", async () => {
  const world = await startStore(await freshAddress());
  await server.kill();
  const away = await world.request("team-a:default", "GET", "/v1/namespaces/team-a/models/wine");
  expect(away).toMatchObject({ status: 503, body: { error: { code: "DatabaseAway" } } });
  expect(away.body.error?.message).toMatch(/^the store's PostgreSQL does not answer \([A-Z_]+\)$/);
  expect((await world.request(undefined, "GET", "/readyz")).status).toBe(503);
  expect((await world.request(undefined, "GET", "/healthz")).status).toBe(200);
  await server.restart();
  await expect.poll(async () => (await world.request(undefined, "GET", "/readyz")).status).toBe(200);
  // The log has the cause, and no more of the Secret.
  expect(world.log()).toMatch(/"request failed"/);
  expect(world.log()).toMatch(/ECONNREFUSED 127\.0\.0\.1|Connection terminated/);
  expect(world.log()).not.toContain(server.password);
});

test("two that register at once give no number twice", async () => {
  const address = await freshAddress();
  const [one, other] = [await startStore(address), await startStore(address)];
  const register = async (world: World, content: string) => {
    const client = world.clientOf("team-a:default");
    const origins = [{ path: "all/data.csv", uri: `s3://bucket/${content}`, etag: "1" }];
    return (await client.registerDatasetVersion("team-a", "wine", datasetInput([fileOf(content)], { origins })))
      .version;
  };
  const contents = Array.from({ length: 20 }, (_, index) => `content ${index}`);
  const versions = await Promise.all(contents.map((content, index) => register(index % 2 ? one : other, content)));
  expect(versions.sort((a, b) => a - b)).toEqual(contents.map((_, index) => index + 1));
});

describe("a store that had a file until now", () => {
  const logger = pino({ level: "silent" });
  const asides = (folder: string) => readdirSync(folder).filter((name) => name.startsWith("lemnis.db.")).length;

  test("has all of it in PostgreSQL, and the file is set aside", async () => {
    useDatabase(Sqlite.open);
    const store = await openStore();
    const file = await store.upload("a", "content");
    await store.datasets.register("a", "wine", datasetInput([file]));
    const model = { name: "wine", format: "sklearn", files: [file] };
    await store.runs.put({ namespace: "a", job: "wine", digest: sha256("run") }, runResult({ model }));
    for (let index = 0; index < 1_100; index++) {
      await store.blobs.refer(store.database, "a", `model/${index}/1`, [file]);
    }
    const [dataset, runs] = [await store.datasets.read("a", "wine"), await store.runs.read("a", "wine")];
    await store.database.close();
    const address = await freshAddress();
    for (let start = 0; start < 2; start++) {
      const database = await openDatabase({ folder: store.folder, postgres: address, logger });
      expect([existsSync(join(store.folder, "lemnis.db")), asides(store.folder)]).toEqual([false, 1]);
      useDatabase(async () => database);
      const moved = await openStore({ folder: store.folder });
      expect(await moved.datasets.read("a", "wine")).toEqual(dataset);
      expect(await moved.runs.read("a", "wine")).toEqual(runs);
      expect(await moved.blobs.isIntact("a", file.digest)).toBe(true);
      expect(await database.get("SELECT CAST(count(*) AS INTEGER) AS refs FROM blob_refs")).toEqual({ refs: 1_102 });
      if (start === 0) await database.close();
      else await moved.close();
    }
  });

  test("has what PostgreSQL has, if something is there already", async () => {
    useDatabase(Sqlite.open);
    const [store, address] = [await openStore(), await freshAddress()];
    await store.database.run("INSERT INTO models VALUES ('a', 'old', 7)");
    await store.database.close();
    const before = await Postgres.open(address);
    await before.run("INSERT INTO models VALUES ('a', 'wine', 3)");
    await before.close();
    const database = await openDatabase({ folder: store.folder, postgres: address, logger });
    expect(await database.all("SELECT name FROM models")).toEqual([{ name: "wine" }]);
    expect(asides(store.folder)).toBe(1);
    await database.close();
  });
});

describe("a PostgreSQL is refused", () => {
  const refusal = (url: string, ca: string | undefined = server.ca) =>
    Postgres.open({ url, ca }).then(
      () => "opened",
      (error: Error) => error.message,
    );

  test.each<[string, () => [url: string, ca?: string], RegExp]>([
    [
      "that does not know the password",
      () => [server.url().replace(server.password, "wrong")],
      /refuses what the Secret/,
    ],
    ["that has no such database", () => [server.url("none")], /refuses what the Secret says: mend its url/],
    ["that nobody vouches for", () => [server.url(), ""], /does not answer \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/],
    ["that is not there", () => [server.url().replace(/:\d+\//, ":1/")], /does not answer \(ECONNREFUSED\)/],
  ])("%s, without a word of the Secret", async (_, address, message) => {
    const told = await refusal(...address());
    expect(told).toMatch(message);
    expect(told).not.toMatch(/wrong|none|lemnis:|postgres-test-secret/);
  });

  test("unless the user asks for less than full verification", async () => {
    expect(await refusal(`${server.url()}?sslmode=require`, "")).toBe("opened");
    expect(await refusal(`${server.url()}?sslmode=disable`, "")).toBe("opened");
  });

  test("that is newer than this program", async () => {
    const address = await freshAddress();
    const database = await Postgres.open(address);
    await database.run("INSERT INTO migrations VALUES (999)");
    await database.close();
    await expect(Postgres.open(address)).rejects.toThrow(/has version 999.*run a newer one/);
  });
});
