/** Gates: what a version must reach to become champion. */
import { jsonDigest } from "../../api/digest.ts";
import type { EvaluationMetric, ModelGate } from "../../api/v1alpha1/model.ts";
import type { GateResult } from "../../store/api.ts";

type Metrics = Readonly<Record<string, number>>;

/** The champion as the gates see it: its metrics on the candidate's data, or undefined when it can't predict that data. */
export interface Champion {
  version: number;
  metrics: Metrics | undefined;
}

/** Metrics whose smaller value is the better one. */
const lowerIsBetter: ReadonlySet<EvaluationMetric> = new Set([
  "log_loss",
  "mae",
  "rmse",
  "latency_p50_ms",
  "latency_p99_ms",
]);

/** Names a list of gates, so that a version is judged anew when they change. */
export function gatesDigest(gates: readonly ModelGate[]): string {
  return jsonDigest(gates);
}

/** One result a gate, in the gates' order. */
export function judge(gates: readonly ModelGate[], metrics: Metrics, champion: Champion | undefined): GateResult[] {
  return gates.map((gate) => judgeOne(gate, metrics, champion));
}

function judgeOne(gate: ModelGate, metrics: Metrics, champion: Champion | undefined): GateResult {
  const { metric } = gate;
  const value = metrics[metric];
  if (value === undefined) {
    return { metric, passed: false, message: `${metric} was not measured: the runtime's answers do not allow it` };
  }
  const findings = [...bounds(gate, value), ...comparison(gate, value, champion)];
  const failed = findings.filter(({ passed }) => !passed);
  const told = failed.length > 0 ? failed : findings;
  return { metric, value, passed: failed.length === 0, message: told.map(({ message }) => message).join("; ") };
}

interface Finding {
  passed: boolean;
  message: string;
}

function bounds({ metric, min, max }: ModelGate, value: number): Finding[] {
  const findings: Finding[] = [];
  if (min !== undefined) {
    const passed = value >= min;
    findings.push({ passed, message: `${metric} ${show(value)} is ${passed ? "at least" : "below"} min ${min}` });
  }
  if (max !== undefined) {
    const passed = value <= max;
    findings.push({ passed, message: `${metric} ${show(value)} is ${passed ? "at most" : "above"} max ${max}` });
  }
  return findings;
}

function comparison(gate: ModelGate, value: number, champion: Champion | undefined): Finding[] {
  const { metric, against } = gate;
  if (!against) return [];
  if (!champion) return [{ passed: true, message: `${metric} ${show(value)}: there is no champion to compare with` }];
  const other = champion.metrics?.[metric];
  if (other === undefined) {
    const message = `${metric} ${show(value)}: champion ${champion.version} can't be measured on this data`;
    return [{ passed: true, message }];
  }
  const { minDelta, maxDelta } = deltas(gate);
  const delta = value - other;
  const passed =
    (minDelta === undefined || delta >= minDelta - rounding) &&
    (maxDelta === undefined || delta <= maxDelta + rounding);
  const limits = [
    ...(minDelta === undefined ? [] : [`minDelta ${minDelta}`]),
    ...(maxDelta === undefined ? [] : [`maxDelta ${maxDelta}`]),
  ].join(" and ");
  const difference = `${delta < 0 ? "" : "+"}${show(delta)}`;
  const message = `${metric} ${show(value)} against champion ${champion.version}'s ${show(other)}: ${difference} ${passed ? "keeps" : "breaks"} ${limits}`;
  return [{ passed, message }];
}

/** Subtracting two decimals leaves a rest like 1e-17, which is nobody's failure. */
const rounding = 1e-12;

/** Without a delta: not worse than the champion. */
function deltas({ metric, minDelta, maxDelta }: ModelGate): Pick<ModelGate, "minDelta" | "maxDelta"> {
  if (minDelta !== undefined || maxDelta !== undefined) return { minDelta, maxDelta };
  return lowerIsBetter.has(metric) ? { maxDelta: 0 } : { minDelta: 0 };
}

function show(value: number): string {
  return String(Number(value.toPrecision(6)));
}
