/** What the operator's work costs, on a real API server, beside bare writes on one like it. */
import { parseArgs } from "node:util";
import { startRig } from "../../rig/cluster.ts";
import { inMs, type Report } from "../report.ts";
import { Comparison } from "./comparison.ts";
import { measureLatency } from "./latency.ts";
import { bestConcurrency } from "./throughput.ts";
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
    report.note(`${work.kind}: bare writes are fastest at ${concurrency} at once`);
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
