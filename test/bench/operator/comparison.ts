/** All measures of one kind and size: children beside bare writes, and what it costs to begin again and to rest with so many. */
import { type Rig, startRig } from "../../rig/cluster.ts";
import type { OperatorProcess } from "../../rig/operator.ts";
import { inMs, type Report } from "../report.ts";
import { makeReady, measureRest, measureRestart, untilQuiet } from "./settled.ts";
import { measureBare, measureOperator, namespace, type Rate, startBacklog } from "./throughput.ts";
import type { Work } from "./work.ts";

interface Options {
  report: Report;
  /** Of bare writes. */
  concurrency: number;
  /** Seconds; 0: the operator is not watched at rest. */
  rest: number;
}

export class Comparison {
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
    const [rates, bare]: [Rate[], Rate[]] = [[], [await this.#bare()]];
    // What takes a few seconds is measured several times: such a moment may be a bad one.
    for (let round = 1; round < (this.#count > 1000 ? 1 : 3); round++) {
      rates.push(await this.#written());
      bare.push(await this.#bare());
    }
    const rig = await startBacklog(this.#work, this.#count);
    try {
      const { operator, rate } = await measureOperator(rig, this.#work, this.#count);
      rates.push(rate);
      bare.push(await this.#bare());
      this.#tellRates(rates, bare);
      if (this.#work.kind === "InferenceService") await makeReady(rig, namespace);
      this.#tellRequests(await untilQuiet(operator));
      await operator.stop();
      await this.#restart(rig);
    } finally {
      await rig.stop();
    }
  }

  /** By an operator that ends then. */
  async #written(): Promise<Rate> {
    const rig = await startBacklog(this.#work, this.#count);
    try {
      return (await measureOperator(rig, this.#work, this.#count)).rate;
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

  /** Bare writes were measured before, between and after the operator's. */
  #tellRates(rates: readonly Rate[], bare: readonly Rate[]): void {
    const mean = (all: readonly Rate[], of: keyof Rate) => all.reduce((sum, each) => sum + each[of], 0) / all.length;
    const { report, concurrency } = this.#options;
    const each = (all: readonly Rate[]) => all.map(({ perSecond }) => perSecond.toFixed(0)).join(", ");
    report.add({
      measure: `${this.#title}: children written a second`,
      result: `${each(rates)}; bare writes ${each(bare)}, ${concurrency} at once`,
      ratio: mean(rates, "perSecond") / mean(bare, "perSecond"),
      target: "0.8 of bare writes",
    });
    const cost = (all: readonly Rate[]) =>
      `${inMs(mean(all, "writerMs"))} and ${inMs(mean(all, "serverMs"))} of the API server and etcd`;
    const cpu = (all: readonly Rate[]) => mean(all, "writerMs") + mean(all, "serverMs");
    report.add({
      measure: `${this.#title}: CPU time a child`,
      result: `${cost(rates)}; bare writes ${cost(bare)}`,
      ratio: cpu(bare) / cpu(rates),
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
