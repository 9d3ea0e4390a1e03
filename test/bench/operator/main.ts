/** What the operator's work costs, on a real API server, beside bare writes on one like it. */
import { parseArgs } from "node:util";
import { type Rig, startRig } from "../../rig/cluster.ts";
import type { OperatorProcess } from "../../rig/operator.ts";
import { inMs, type Report } from "../report.ts";
import { measureLatency } from "./latency.ts";
import { makeReady, measureRest, measureRestart, untilQuiet } from "./settled.ts";
import { bestConcurrency, measureBare, measureOperator, namespace, type Rate, startBacklog } from "./throughput.ts";
import { type Work, works } from "./work.ts";

export const usage = `npm run bench -- operator [--sizes 100,1000,10000] [--rest SECONDS] [--only KIND]
  --sizes  how many objects of a kind to create, comma-separated (100,1000,10000)
  --rest   how long the operator is watched at rest with the most objects, in seconds (300)
  --only   InferenceService or TrainingJob (both)
10,000 take about half an hour on two cores. Each measure has an etcd and a kube-apiserver of its own.`;

export async function run(args: readonly string[], report: Report): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sizes: { type: "string", default: "100,1000,10000" },
      rest: { type: "string", default: "300" },
      only: { type: "string", default: "" },
    },
  });
  const sizes = values.sizes.split(",").map(Number);
  const rest = Number(values.rest);
  const chosen = works.filter(({ kind }) => kind.includes(values.only));
  if (chosen.length === 0 || sizes.some((size) => !(size >= 10)) || !(rest >= 0)) return false;
  for (const work of chosen) {
    if (work.kind === "InferenceService") await latencies(work, report);
    const concurrency = await bestConcurrency(work);
    report.note(`bare writes of a ${work.kind}'s children are fastest at ${concurrency} at once`);
    for (const size of sizes)
      await new Comparison(work, size, { report, concurrency, rest: size === Math.max(...sizes) ? rest : 0 }).run();
  }
  return true;
}

async function latencies(work: Work, report: Report): Promise<void> {
  const rig = await startRig();
  try {
    await rig.startOperator();
    await measureLatency(rig, work, { namespace: "warm", count: 20, burst: false });
    const rest = await measureLatency(rig, work, { namespace: "rest", count: 200, burst: false });
    const measure = `creation of an ${work.kind} → first child`;
    const said = (latency: { p50: number; p99: number }) => `p50 ${inMs(latency.p50)}, p99 ${inMs(latency.p99)}`;
    report.add({ measure: `${measure}, at rest`, result: said(rest), target: "p50 below 30 ms" });
    const burst = await measureLatency(rig, work, { namespace: "burst", count: 1000, burst: true });
    report.add({ measure: `${measure}, in a burst of 1,000`, result: said(burst) });
  } finally {
    await rig.stop();
  }
}

interface Options {
  report: Report;
  /** Of bare writes. */
  concurrency: number;
  /** Seconds; 0: the operator is not watched at rest. */
  rest: number;
}

/** All measures of one kind and size. */
class Comparison {
  readonly #work: Work;
  readonly #count: number;
  readonly #options: Options;
  readonly #title: string;

  constructor(work: Work, count: number, options: Options) {
    this.#work = work;
    this.#count = count;
    this.#options = options;
    this.#title = `${count.toLocaleString("en")} ${work.kind}s`;
  }

  async run(): Promise<void> {
    const before = await this.#bare();
    const rig = await startBacklog(this.#work, this.#count);
    try {
      const { operator, rate } = await measureOperator(rig, this.#work, this.#count);
      const after = await this.#bare();
      this.#tellRates(rate, [before, after]);
      if (this.#work.kind === "InferenceService") await makeReady(rig, namespace);
      this.#tellRequests(await untilQuiet(operator));
      await operator.stop();
      await this.#restart(rig);
    } finally {
      await rig.stop();
    }
  }

  async #bare(): Promise<Rate> {
    const rig = await startBacklog(this.#work, this.#count);
    try {
      return await measureBare(rig, this.#work, this.#count, this.#options);
    } finally {
      await rig.stop();
    }
  }

  #tellRates(rate: Rate, bare: readonly Rate[]): void {
    const mean = (of: (rate: Rate) => number) => bare.reduce((sum, each) => sum + of(each), 0) / bare.length;
    const { report, concurrency } = this.#options;
    const each = bare.map(({ perSecond }) => perSecond.toFixed(0)).join(" before and ");
    report.add({
      measure: `${this.#title}: children written a second`,
      result: `${rate.perSecond.toFixed(0)}; bare writes ${each} after, ${concurrency} at once`,
      ratio: rate.perSecond / mean(({ perSecond }) => perSecond),
      target: "0.8 of bare writes",
    });
    const cost = (writer: number, server: number) => `${inMs(writer)} and ${inMs(server)} of the API server and etcd`;
    const [writer, server] = [mean(({ writerMs }) => writerMs), mean(({ serverMs }) => serverMs)];
    report.add({
      measure: `${this.#title}: CPU time a child`,
      result: `${cost(rate.writerMs, rate.serverMs)}; bare writes ${cost(writer, server)}`,
      ratio: (writer + server) / (rate.writerMs + rate.serverMs),
    });
  }

  #tellRequests(requests: ReadonlyMap<string, number>): void {
    const asked = [...requests].filter(([key]) => !/^(list|watch) /.test(key));
    const each = asked
      .filter(([, value]) => value >= this.#count / 10)
      .map(([key, value]) => `${key} ${(value / this.#count).toFixed(2)}`);
    const sum = asked.reduce((total, [, value]) => total + value, 0) / this.#count;
    const measure = `${this.#title}: API calls each, from creation to settled`;
    this.#options.report.add({
      measure,
      result: `${sum.toFixed(2)}: ${each.join(", ")}`,
      target: "children + 2 + Events",
    });
  }

  async #restart(rig: Rig): Promise<void> {
    const { report, rest } = this.#options;
    // One that has just served so much is slower than the one that an operator usually meets.
    await rig.plane.restartApiServer();
    const { kind } = this.#work;
    const { operator, ...restart } = await measureRestart(rig, kind.toLowerCase(), this.#count);
    const [synced, reconciled] = [restart.syncedMs, restart.reconciledMs].map((ms) => `${(ms / 1000).toFixed(2)} s`);
    report.add({
      measure: `${this.#title} settled: process start → synced → each reconciled once`,
      result: `${synced} → ${reconciled}, ${restart.writes} writes`,
      target: "below 10 s, 0 writes",
    });
    const { p50, p99, max } = restart.loop;
    report.add({
      measure: `${this.#title} settled: event-loop delay during that restart`,
      result: `p99 ${inMs(p99)}; p50 ${inMs(p50)}, longest ${inMs(max)}`,
      target: "p99 below 100 ms",
    });
    await this.#memory(operator);
    if (rest === 0) return;
    const rested = await measureRest(operator, rest);
    report.add({
      measure: `${this.#title} at rest for ${rested.seconds} s`,
      result: `${rested.writes} writes, ${rested.lists} lists, CPU ${rested.cpuPercent.toFixed(2)} % of a core`,
      target: "0 writes but the Lease, no list, below 1 %",
    });
  }

  async #memory(operator: OperatorProcess): Promise<void> {
    await untilQuiet(operator);
    const [bytes, cached] = [operator.residentBytes(), (await operator.metrics()).sum("lemnis_cache_objects")];
    const idle = await idleBytes();
    const [each, inMb] = [((bytes - idle) / cached).toFixed(0), (of: number) => `${(of / 1e6).toFixed(0)} MB`];
    this.#options.report.add({
      measure: `${this.#title} settled: resident memory`,
      result: `${inMb(bytes)}: ${cached} objects cached, ${each} bytes each above ${inMb(idle)} with none`,
      target: "below 250 MB with 10,000 InferenceServices",
    });
  }
}

/** Resident memory of an operator that has no objects. */
async function idleBytes(): Promise<number> {
  const rig = await startRig();
  try {
    const operator = await rig.startOperator();
    await untilQuiet(operator);
    return operator.residentBytes();
  } finally {
    await rig.stop();
  }
}
