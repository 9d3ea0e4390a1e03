/** Derived Datasets: versions of others in, a version out, on the real store. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeriveTask } from "../../../operator/agent/tasks.ts";
import { datasetInput } from "../../builders/store.ts";
import { amount, card, customer, deriveTask, makeInput, readRows, recipe, seen, uploaded } from "./derived.ts";
import { namespace, startWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const transactions = `customer,seen,amount,card
1,2026-01-01T10:00:00Z,10,4111
2,2026-01-01T11:00:00Z,20.5,4222
1,2026-01-02T10:00:00Z,30,4111
1,2026-01-03T10:00:00Z,40,4111
`;

describe("sql", () => {
  test("over the inputs by name, in their recorded types, makes a Parquet version that knows its parents", async () => {
    const digest = await makeInput(world, "transactions", transactions, [customer, seen, amount, card]);
    const sql =
      "SELECT customer, max(seen) AS seen, sum(amount) AS total, count(*) AS n, any_value(card) AS card FROM transactions GROUP BY customer";
    const { code, message } = await world.run(deriveTask({ transactions: digest }, { sql }));
    expect([code, message]).toEqual([0, expect.objectContaining({ version: 1, rows: 2 })]);
    const version = await world.store.getDatasetVersion(namespace, "derived", "1");
    expect(version).toMatchObject({
      format: "Parquet",
      recipe,
      parents: [{ dataset: "transactions", version: 1, digest }],
      columns: [
        { name: "customer", type: "Int64", role: "Key" },
        { name: "seen", type: "Timestamp", role: "Timestamp" },
        { name: "total", type: "Double" },
        { name: "n", type: "Int64" },
        { name: "card", type: "Int64", sensitive: true },
      ],
    });
    expect(await readRows(world)).toMatchObject([
      { customer: "1", total: "80.0", n: "3" },
      { customer: "2", total: "20.5", n: "1" },
    ]);
  });

  test("without ORDER BY is sorted by its columns from left to right; with it, lies as it says", async () => {
    const raw = await makeInput(world, "raw", "a,b\n2,1\n1,2\n,3\n1,1\n", [
      { name: "a", type: "Int64" },
      { name: "b", type: "Int64" },
    ]);
    await world.run(deriveTask({ raw }, { sql: "SELECT a, b FROM raw;" }));
    const pairs = async (version: string) => (await readRows(world, version)).map(({ a, b }) => `${a} ${b}`);
    expect(await pairs("1")).toEqual(["1 1", "1 2", "2 1", "null 3"]);
    await world.run(deriveTask({ raw }, { sql: "FROM raw ORDER BY b DESC, a -- newest first" }));
    expect(await pairs("2")).toEqual(["null 3", "1 2", "1 1", "2 1"]);
  });

  test("gives the same bytes each time, sums of doubles too", async () => {
    const lines = Array.from({ length: 250_000 }, (_, row) => `${row % 997},${Math.sin(row) * 10 ** (row % 9)}\n`);
    const points = await makeInput(world, "points", `id,x\n${lines.join("")}`, [
      { name: "id", type: "Int64" },
      { name: "x", type: "Double" },
    ]);
    const sql = "SELECT id % 7 AS id, sum(x) AS total, avg(x) AS mean, any_value(x) AS one FROM points GROUP BY ALL";
    const splits = {
      seed: 0,
      shares: [
        { name: "train", percent: 80 },
        { name: "test", percent: 20 },
      ],
    };
    const digests = new Set<string>();
    for (let time = 0; time < 3; time++) {
      const { code, message } = await world.run(deriveTask({ points }, { sql, splits }));
      expect([code, message]).toEqual([0, expect.objectContaining({ version: 1 })]);
      digests.add(message.digest);
    }
    expect(digests.size).toBe(1);
  });

  test("takes one split of an input where it is named, and else all", async () => {
    const files = [
      { path: "test/data.csv", ...(await uploaded(world, "test.csv", "id\n3\n")) },
      { path: "train/data.csv", ...(await uploaded(world, "train.csv", "id\n1\n2\n")) },
    ];
    const input = datasetInput(files, {
      splits: { train: 2, test: 1 },
      columns: [{ name: "id", type: "Int64", nullable: false }],
    });
    const { digest } = await world.store.registerDatasetVersion(namespace, "halves", input);
    const of = (split?: string): DeriveTask["inputs"] => [
      { name: "halves", dataset: "halves", digest, ...(split ? { split } : {}) },
    ];
    await world.run(deriveTask({}, { inputs: of(), sql: "FROM halves" }));
    expect((await readRows(world, "1")).map(({ id }) => id)).toEqual(["1", "2", "3"]);
    await world.run(deriveTask({}, { inputs: of("train"), sql: "FROM halves" }));
    expect((await readRows(world, "2")).map(({ id }) => id)).toEqual(["1", "2"]);
    expect((await world.store.getDatasetVersion(namespace, "derived", "2")).parents).toEqual([
      { dataset: "halves", version: 1, digest, split: "train" },
    ]);
    const { code, message } = await world.run(deriveTask({}, { inputs: of("valid"), sql: "FROM halves" }));
    expect([code, message]).toEqual([
      3,
      {
        reason: "SourceNotFound",
        message: "version 1 of Dataset halves has no split valid; it has train, test",
      },
    ]);
  });

  test("of an input whose columns were declared anew takes them as they are now", async () => {
    const raw = await makeInput(world, "raw", "id,at\n1,2026-01-01\n", [
      { name: "id", type: "Int64" },
      { name: "at", type: "Date" },
    ]);
    await world.run(deriveTask({ raw }, { sql: "FROM raw" }));
    const [id, at] = [
      { ...customer, name: "id" },
      { ...seen, name: "at", type: "Date" as const, sensitive: true as const },
    ];
    await makeInput(world, "raw", "id,at\n1,2026-01-01\n", [id, at]);
    expect((await world.run(deriveTask({ raw }, { sql: "FROM raw" }))).message).toMatchObject({ version: 1 });
    expect(await world.store.getDatasetVersion(namespace, "derived", "1")).toMatchObject({
      revision: 2,
      parents: [{ dataset: "raw", version: 1, digest: raw, revision: 2 }],
      columns: [id, at],
    });
  });

  test("has columns of the six types: wider numbers become them, others are refused by name", async () => {
    const raw = await makeInput(world, "raw", "a,b\n1,2.5\n", [
      { name: "a", type: "Int64" },
      { name: "b", type: "Double" },
    ]);
    const types = [
      "a::TINYINT",
      "sum(a) OVER ()",
      "a::HUGEINT",
      "b::FLOAT",
      "b::DECIMAL(9, 2)",
      "a = 1",
      "'x'",
      "DATE '2026-01-01'",
      "TIMESTAMPTZ '2026-01-01 00:00:00+02'",
      "NULL",
      "UUID '00000000-0000-0000-0000-000000000001'",
    ];
    const sql = `SELECT ${types.map((sql, index) => `${sql} AS x${index}`).join(", ")} FROM raw`;
    expect((await world.run(deriveTask({ raw }, { sql }))).code).toBe(0);
    expect((await world.store.getDatasetVersion(namespace, "derived", "1")).columns.map(({ type }) => type)).toEqual([
      "Int64",
      "Int64",
      "Int64",
      "Double",
      "Double",
      "Boolean",
      "String",
      "Date",
      "Timestamp",
      "Int64",
      "String",
    ]);
    expect((await readRows(world))[0]).toMatchObject({ x8: "2025-12-31 22:00:00" });
  });
});

describe("pointInTime", () => {
  test("adds to each row what was known at its time", async () => {
    const inputs = {
      labels: await makeInput(
        world,
        "labels",
        "customer,seen,fraud\n1,2026-01-02T10:00:00Z,0\n1,2026-01-02T09:59:59Z,1\n2,2026-01-01T00:00:00Z,0\n3,2026-01-05T00:00:00Z,1\n",
        [customer, seen, { name: "fraud", type: "Int64", role: "Label" }],
      ),
      spending: await makeInput(world, "spending", transactions, [customer, seen, amount, card]),
    };
    const pointInTime = { rows: "labels", features: ["spending"] };
    const { code, message } = await world.run(deriveTask(inputs, { pointInTime }));
    expect([code, message]).toEqual([0, expect.objectContaining({ version: 1, rows: 4 })]);
    expect(await readRows(world)).toEqual([
      {
        customer: "1",
        seen: "2026-01-02 10:00:00",
        fraud: "0",
        spending_seen: "2026-01-02 10:00:00",
        amount: "30.0",
        card: "4111",
      },
      {
        customer: "1",
        seen: "2026-01-02 09:59:59",
        fraud: "1",
        spending_seen: "2026-01-01 10:00:00",
        amount: "10.0",
        card: "4111",
      },
      { customer: "2", seen: "2026-01-01 00:00:00", fraud: "0", spending_seen: null, amount: null, card: null },
      { customer: "3", seen: "2026-01-05 00:00:00", fraud: "1", spending_seen: null, amount: null, card: null },
    ]);
    const { columns } = await world.store.getDatasetVersion(namespace, "derived", "1");
    expect(columns).toMatchObject([
      customer,
      seen,
      { name: "fraud", type: "Int64", role: "Label" },
      { name: "spending_seen" },
      { name: "amount" },
      card,
    ]);
  });
});
