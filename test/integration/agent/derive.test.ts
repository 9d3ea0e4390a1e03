/** Derived Datasets: versions of others in, a version out, on the real store. */

import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashFile } from "../../../operator/agent/artifact/files.ts";
import { Database } from "../../../operator/agent/table/database.ts";
import type { DeriveTask } from "../../../operator/agent/tasks.ts";
import type { Column } from "../../../operator/store/api.ts";
import { datasetInput } from "../../builders/store.ts";
import { namespace, startWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const customer = { name: "customer", type: "Int64", role: "Key" } as const;
const seen = { name: "seen", type: "Timestamp", role: "Timestamp" } as const;
const amount = { name: "amount", type: "Double" } as const;
const card = { name: "card", type: "Int64", sensitive: true } as const;

/** Makes a version of a Dataset; its digest. */
async function makeInput(dataset: string, csv: string, columns: Omit<Column, "nullable">[]): Promise<string> {
  const local = join(world.paths.source, `${dataset}.csv`);
  await world.source(`${dataset}.csv`, csv);
  const file = { path: "all/data.csv", ...(await hashFile(local)) };
  await world.store.uploadFile(namespace, local, file);
  const rows = csv.trim().split("\n").length - 1;
  const { digest } = await world.store.registerDatasetVersion(
    namespace,
    dataset,
    datasetInput([file], { rows, splits: { all: rows }, columns: columns.map((c) => ({ ...c, nullable: true })) }),
  );
  return digest;
}

const recipe = `sha256:${"1".repeat(64)}`;

function deriveTask(inputs: Record<string, string>, changes: Partial<DeriveTask>): DeriveTask {
  return {
    ...{ verb: "derive", namespace, dataset: "derived", columns: [], expectations: [], retain: 10, recipe },
    inputs: Object.entries(inputs).map(([name, digest]) => ({ name, dataset: name.replaceAll("_", "-"), digest })),
    ...changes,
  };
}

/** The rows of the derived Dataset's version, as text. */
async function readRows(version = "1"): Promise<Record<string, string | null>[]> {
  const { files, columns } = await world.store.getDatasetVersion(namespace, "derived", version);
  const file = join(world.paths.work, `read-${version}.parquet`);
  await world.store.download(namespace, files[0]?.digest ?? "", file);
  const database = await Database.open(join(world.paths.work, "reader"), [world.paths.work]);
  try {
    const cells = columns.map(({ name }) => `"${name}"::VARCHAR AS "${name}"`).join(", ");
    return (await database.rows(`SELECT ${cells} FROM read_parquet('${file}')`)) as Record<string, string | null>[];
  } finally {
    database.close();
  }
}

const transactions = `customer,seen,amount,card
1,2026-01-01T10:00:00Z,10,4111
2,2026-01-01T11:00:00Z,20.5,4222
1,2026-01-02T10:00:00Z,30,4111
1,2026-01-03T10:00:00Z,40,4111
`;

describe("sql", () => {
  test("over the inputs by name, in their recorded types, makes a Parquet version that knows its parents", async () => {
    const digest = await makeInput("transactions", transactions, [customer, seen, amount, card]);
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
    expect(await readRows()).toMatchObject([
      { customer: "1", total: "80.0", n: "3" },
      { customer: "2", total: "20.5", n: "1" },
    ]);
  });
});

describe("pointInTime", () => {
  test("adds to each row what was known at its time", async () => {
    const inputs = {
      labels: await makeInput(
        "labels",
        "customer,seen,fraud\n1,2026-01-02T10:00:00Z,0\n1,2026-01-02T09:59:59Z,1\n2,2026-01-01T00:00:00Z,0\n3,2026-01-05T00:00:00Z,1\n",
        [customer, seen, { name: "fraud", type: "Int64", role: "Label" }],
      ),
      spending: await makeInput("spending", transactions, [customer, seen, amount, card]),
    };
    const pointInTime = { rows: "labels", features: ["spending"] };
    const { code, message } = await world.run(deriveTask(inputs, { pointInTime }));
    expect([code, message]).toEqual([0, expect.objectContaining({ version: 1, rows: 4 })]);
    expect(await readRows()).toEqual([
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
