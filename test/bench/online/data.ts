/** The features that are asked for, and the version of them in the store. */
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { pino } from "pino";
import { runAgent } from "../../../operator/agent/run.ts";
import { StoreClient } from "../../../operator/store/client.ts";
import { snapshotTask } from "../../integration/agent/world.ts";
import { podPaths } from "../../rig/pod.ts";

export const namespace = "team-a";
export const dataset = "customers";
/** The store of these benches takes a token for a name. */
export const token = async () => `${namespace}:default`;

export const features: readonly string[] = Array.from({ length: 10 }, (_, n) => `f${n}`);

/** Makes a version in the store at `url`: customers 0 to `keys` - 1, five whole and five real features of each. The CSV file that it is of. */
export async function makeVersion(url: string, folder: string, keys: number): Promise<string> {
  const paths = await podPaths(join(folder, "snapshot"));
  const csv = join(paths.source, "data.csv");
  const values = features.map((name, n) => `${n % 2 ? "(random() * 1000)::BIGINT" : "round(random(), 6)"} AS ${name}`);
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "1GB" });
  const connection = await instance.connect();
  await connection.run(
    `COPY (SELECT range AS customer, ${values.join(", ")} FROM range(${keys})) TO '${csv}' (FORMAT csv)`,
  );
  connection.closeSync();
  instance.closeSync();
  const store = new StoreClient({ url, token });
  const task = snapshotTask("data.csv", { dataset });
  const code = await runAgent({ task, store, logger: pino({ level: "error" }), paths, allowLoopback: true });
  await store.close();
  if (code !== 0) throw new Error("the snapshot failed; the log above says why");
  return csv;
}
