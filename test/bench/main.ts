/** `npm run bench`: what the operator's work costs, on a real API server, beside bare writes on the same one. Prints Markdown. */
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { terminalLog } from "../cluster/progress.ts";
import { startRig } from "../rig/cluster.ts";
import { measureLatency } from "./latency.ts";
import { makeReady, measureRest, measureRestart, untilQuiet } from "./settled.ts";
import { bestConcurrency, measureBare, measureOperator } from "./throughput.ts";
import { type Work, works } from "./work.ts";

const usage = `npm run bench [-- --sizes 100,1000,10000] [--rest SECONDS]
  --sizes  how many objects of a kind to create, comma-separated (100,1000,10000)
  --rest   how long the operator is watched at rest with the most objects, in seconds (300)`;

const log = terminalLog();
const rows: string[] = [];
const row = (...cells: (string | number)[]) => {
  rows.push(`| ${cells.join(" | ")} |`);
  log(rows.at(-1) ?? "");
};
const ms = (value: number) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function compare(work: Work, count: number, restSeconds: number): Promise<void> {
  const rig = await startRig();
  try {
    const concurrency = await bestConcurrency(rig, work);
    const before = await measureBare(rig, work, { namespace: "bare-before", count, concurrency });
    const { operator, rate } = await measureOperator(rig, work, { namespace: "bench", count });
    if (work.kind === "InferenceService") await makeReady(rig, "bench");
    const requests = await untilQuiet(operator);
    await operator.stop();
    const after = await measureBare(rig, work, { namespace: "bare-after", count, concurrency });
    const bare = mean([before, after]);
    const title = `${count} ${work.kind}s`;
    const detail = `${rate.toFixed(0)} against ${before.toFixed(0)} before and ${after.toFixed(0)} after, at ${concurrency} at once`;
    row(`${title}: children written a second, and of bare writes`, detail, `${(rate / bare).toFixed(2)}`);
    const asked = [...requests].filter(([key]) => !/^(list|watch) /.test(key));
    const perObject = asked.reduce((sum, [, value]) => sum + value, 0) / count;
    const names = asked
      .filter(([, value]) => value >= count / 10)
      .map(([key, value]) => `${key} ${(value / count).toFixed(2)}`);
    row(`${title}: API calls each, from creation to settled`, names.join(", "), perObject.toFixed(2));
    if (work.kind !== "InferenceService") return;
    const restarted = await measureRestart(rig, count);
    const { syncedMs, reconciledMs, loopDelayMs, writes } = restarted;
    row(
      `${title}: restart, process start → synced → each reconciled once`,
      `${ms(syncedMs)} → ${ms(reconciledMs)}`,
      `${writes} writes`,
    );
    row(
      `${title}: event-loop delay p99 during that restart`,
      "the worst of windows of 100 ms or more",
      ms(loopDelayMs),
    );
    await untilQuiet(restarted.operator);
    const idleBytes = await idle();
    const bytes = restarted.operator.residentBytes();
    const cached = (await restarted.operator.metrics()).sum("lemnis_cache_objects");
    const perCached = (bytes - idleBytes) / cached;
    row(
      `${title}: resident memory`,
      `${cached} objects cached, ${perCached.toFixed(0)} bytes each above ${(idleBytes / 1e6).toFixed(0)} MB with none`,
      `${(bytes / 1e6).toFixed(0)} MB`,
    );
    if (restSeconds > 0) {
      const rest = await measureRest(restarted.operator, restSeconds);
      const what = `${rest.writes} writes, ${rest.lists} lists`;
      row(`${title}: at rest for ${rest.seconds} s`, what, `CPU ${rest.cpuPercent.toFixed(2)} % of a core`);
    }
  } finally {
    await rig.stop();
  }
}

/** Resident memory of an operator that has no objects. */
async function idle(): Promise<number> {
  const rig = await startRig();
  try {
    const operator = await rig.startOperator();
    await untilQuiet(operator);
    return operator.residentBytes();
  } finally {
    await rig.stop();
  }
}

async function latencies(work: Work): Promise<void> {
  const rig = await startRig();
  try {
    await rig.startOperator();
    await measureLatency(rig, work, { namespace: "warm", count: 20, burst: false });
    const rest = await measureLatency(rig, work, { namespace: "rest", count: 200, burst: false });
    row(`${work.kind}: creation → first child, at rest`, `p99 ${ms(rest.p99)}`, `p50 ${ms(rest.p50)}`);
    const burst = await measureLatency(rig, work, { namespace: "burst", count: 1000, burst: true });
    row(`${work.kind}: creation → first child, in a burst of 1000`, `p99 ${ms(burst.p99)}`, `p50 ${ms(burst.p50)}`);
  } finally {
    await rig.stop();
  }
}

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "100,1000,10000" },
    rest: { type: "string", default: "300" },
    help: { type: "boolean" },
  },
});
const sizes = values.sizes.split(",").map(Number);
const rest = Number(values.rest);
if (values.help || sizes.some((size) => !(size >= 10)) || !(rest >= 0)) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
const [service, training] = works as readonly [Work, Work];
for (const work of [service, training]) if (work.kind === "InferenceService") await latencies(work);
for (const size of sizes) {
  await compare(service, size, size === Math.max(...sizes) ? rest : 0);
  await compare(training, size, 0);
}
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`;
console.log(`Lemnis ${version}, ${new Date().toISOString().slice(0, 10)}, ${machine}\n`);
console.log(["| measure | detail | result |", "|---|---|---|", ...rows].join("\n"));
