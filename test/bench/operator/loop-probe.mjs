/**
 * Loaded before the operator by `node --import`: on SIGUSR2 writes how long its event loop was late, into the file
 * LOOP_PROBE_FILE, and looks no more: that takes 0.4 % of a core. Not TypeScript: what takes its types away would be 28 MB
 * of the process that is measured.
 */
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const everyMs = 10;
const histogram = monitorEventLoopDelay({ resolution: everyMs });
// The thread that keeps the Lease loads this too, and hears no signal that would end it.
if (isMainThread) histogram.enable();
process.on("SIGUSR2", () => {
  histogram.disable();
  // It records the time between two looks.
  const inMs = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - everyMs);
  const told = { p50: inMs(histogram.percentile(50)), p99: inMs(histogram.percentile(99)), max: inMs(histogram.max) };
  const file = process.env.LOOP_PROBE_FILE ?? "loop-probe.json";
  writeFileSync(`${file}.part`, JSON.stringify(told));
  renameSync(`${file}.part`, file);
});
