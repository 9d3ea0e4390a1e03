/** A process that profiles one file as the agent does; prints seconds, seconds of CPU and memory as JSON. */
import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Database } from "../../../operator/agent/table/database.ts";
import { profileTable } from "../../../operator/agent/table/profile.ts";
import { openRaw } from "../../../operator/agent/table/raw.ts";
import { makeTyped } from "../../../operator/agent/table/typed.ts";

const [local = ""] = process.argv.slice(2);
const folder = await mkdtemp(join(dirname(local), "ours-"));
const started = performance.now();
const database = await Database.open(join(folder, "database"), [dirname(local)]);
const format = local.endsWith(".csv") ? "CSV" : "Parquet";
const raw = await openRaw(database, { format, files: [{ path: "data", local }], folder });
await profileTable(database, await makeTyped(database, raw, { declared: [], folder }));
const seconds = (performance.now() - started) / 1000;
database.close();
await rm(folder, { recursive: true });
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({ seconds, processor: (user + system) / 1e6, megabytes: process.resourceUsage().maxRSS / 1024 }),
);
