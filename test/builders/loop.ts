/** A reconcile loop whose queue, metrics and log a test can look at. */
import { type DestinationStream, pino } from "pino";
import { Registry } from "prom-client";
import { type LoopInput, runController } from "../../operator/runtime/controller.ts";
import type { Executor } from "../../operator/runtime/execute.ts";
import { createMetrics } from "../../operator/runtime/metrics.ts";
import { WorkQueue } from "../../operator/runtime/queue.ts";

/** Nobody's status waits. */
export const noWait: Executor["turn"] = { status: (write) => write() };

export function makeLoop() {
  const queue = new WorkQueue({ random: () => 1 });
  const registry = new Registry();
  const lines: { level: number; class?: string; object?: string; reconcile?: string }[] = [];
  const destination: DestinationStream = { write: (line) => void lines.push(JSON.parse(line)) };
  const logger = pino({ level: "debug" }, destination);
  const metrics = createMetrics(registry);
  const fixed = { name: "model", queue, workers: 4, logger, metrics, hasEcho: () => true, onLate: () => {} };
  const start = (reconcile: LoopInput["reconcile"], changes: Partial<LoopInput> = {}): Promise<void> =>
    runController({ ...fixed, reconcile, ...changes });
  const counted = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values ?? [];
  return { queue, lines, start, counted };
}
export type Loop = ReturnType<typeof makeLoop>;
