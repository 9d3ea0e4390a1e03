/** All measures of one kind and size: children beside bare writes, and what it costs to begin again and to rest with so many. */
import { type Rig, startRig } from "../../rig/cluster.ts";
import type { OperatorProcess } from "../../rig/operator.ts";
import { inMs, type Report } from "../report.ts";
import { makeReady, measureRest, measureRestart, untilQuiet } from "./settled.ts";
import {
  measureBare,
  measureBareRunning,
  measureOperator,
  measureRunning,
  namespace,
  type Rate,
  startBacklog,
} from "./throughput.ts";
import type { Work } from "./work.ts";

/** An operator that runs, and bare writes beside it, have met so many objects before. */
const met = 1000;

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
    // More objects than that take longer to make than an operator that stands still keeps its Lease.
    if (this.#count <= 1000) await this.#running();
    const [rates, bare]: [Rate[], Rate[]] = [[], [await this.#bare()]];
    // What takes a few seconds is measured several times: such a moment may be a bad one.
    for (let round = 1; round < (this.#count > 1000 ? 1 : 3); round++) {
      rates.push(await this.#onBacklog(async (rig) => (await measureOperator(rig, this.#work, this.#count)).rate));
      bare.push(await this.#bare());
    }
    await this.#onBacklog(async (rig) => {
      const { operator, rate } = await measureOperator(rig, this.#work, this.#count);
      rates.push(rate);
      bare.push(await this.#bare());
      this.#tellRates(rates, bare);
      if (this.#work.kind === "InferenceService") await makeReady(rig, namespace);
      this.#tellRequests(await untilQuiet(operator));
      await operator.stop();
      await this.#restart(rig);
    });
  }

  /** By an operator, and bare writes, that have met others before. */
  async #running(): Promise<void> {
    const [work, count, { concurrency }] = [this.#work, this.#count, this.#options];
    const bareRate = () => this.#onBacklog((rig) => measureBareRunning(rig, work, count, { concurrency, met }), met);
    const [rates, bare]: [number[], number[]] = [[], [await bareRate()]];
    for (let round = 0; round < 3; round++) {
      const rate = this.#onBacklog(async (rig) => {
        const { operator } = await measureOperator(rig, work, met);
        return measureRunning(rig, work, count, operator);
      }, met);
      rates.push(await rate);
      bare.push(await bareRate());
    }
    this.#tellRatio("by an operator that runs", rates, bare);
  }

  /** On a server of its own, which ends then. */
  async #onBacklog<T>(measure: (rig: Rig) => Promise<T>, count = this.#count): Promise<T> {
    const rig = await startBacklog(this.#work, count);
    try {
      return await measure(rig);
    } finally {
      await rig.stop();
    }
  }

  #bare(): Promise<Rate> {
    return this.#onBacklog((rig) => measureBare(rig, this.#work, this.#count, this.#options));
  }

  /** Bare writes were measured before, between and after the operator's. */
  #tellRatio(when: string, rates: readonly number[], bare: readonly number[]): void {
    const each = (all: readonly number[]) => all.map((rate) => rate.toFixed(0)).join(", ");
    this.#options.report.add({
      measure: `${this.#title}: children written a second ${when}`,
      result: `${each(rates)}; bare writes ${each(bare)}, ${this.#options.concurrency} at once`,
      ratio: mean(rates) / mean(bare),
      target: "0.8 of bare writes",
    });
  }

  #tellRates(rates: readonly Rate[], bare: readonly Rate[]): void {
    const perSecond = (all: readonly Rate[]) => all.map((rate) => rate.perSecond);
    this.#tellRatio("from its start", perSecond(rates), perSecond(bare));
    const meanOf = (all: readonly Rate[], of: "writerMs" | "serverMs") => mean(all.map((each) => each[of]));
    const cost = (all: readonly Rate[]) =>
      `${inMs(meanOf(all, "writerMs"))} and ${inMs(meanOf(all, "serverMs"))} of the API server and etcd`;
    const cpu = (all: readonly Rate[]) => meanOf(all, "writerMs") + meanOf(all, "serverMs");
    this.#options.report.add({
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

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
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
