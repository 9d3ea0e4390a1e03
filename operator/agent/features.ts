import { setTimeout as sleep } from "node:timers/promises";
import type { AgentContext } from "./context.ts";
import { asTaskError } from "./failure.ts";
import { loadVersion, type Served } from "./features/load.ts";
import { createFeatureMetrics } from "./features/metrics.ts";
import { createFeatureServer } from "./features/server.ts";
import type { FeaturesTask } from "./tasks.ts";

/** Before the next look, when the current version can't be served. */
const restMs = 60_000;

/**
 * Serves the newest row by key of the Dataset's current version until the signal. A new version is loaded beside the one
 * that is served, which it then replaces between two requests. What is wrong with the first version ends the task; what is
 * wrong with a later one is logged and counted, and the one before is served on.
 */
export async function serveFeatures(context: AgentContext, task: FeaturesTask): Promise<object> {
  const { logger, timing, signal = new AbortController().signal } = context;
  let served: Served | undefined;
  const current = () => served;
  const metrics = createFeatureMetrics(current);
  const app = createFeatureServer({ current, draining: () => signal.aborted, metrics, logger });
  logger.info({ url: await app.listen({ port: task.port, host: "::" }) }, "the feature server listens");
  const reload = async () => {
    for (;;) {
      let pause = timing.reload;
      try {
        served = (await loadNewer(context, task, served)) ?? served;
      } catch (error) {
        const { reason, retryable, message } = asTaskError(error);
        if (!served && !retryable) throw error;
        if (served) metrics.reloadFailed();
        logger.warn({ reason }, message);
        if (!retryable) pause = Math.max(pause, restMs);
      }
      await sleep(pause, undefined, { signal });
    }
  };
  try {
    await Promise.race([reload(), aborted(signal)]);
    logger.info("ending: answering until callers have gone elsewhere");
    await sleep(timing.drain);
    return { ended: true };
  } finally {
    // A connection whose last request ends now would be kept for a next one.
    const sweep = setInterval(() => app.server.closeIdleConnections(), 50);
    await app.close();
    clearInterval(sweep);
  }
}

/** The store's current version, loaded; undefined where there is none, or where it is the one that is served. */
async function loadNewer(
  context: AgentContext,
  task: FeaturesTask,
  served: Served | undefined,
): Promise<Served | undefined> {
  const { store, logger } = context;
  const { versions, current } = await store.dataset(task.namespace, task.dataset);
  const newest = versions.find(({ version }) => version === current);
  if (!newest || (newest.digest === served?.digest && newest.revision === served.revision)) return undefined;
  const detail = await store.getDatasetVersion(task.namespace, task.dataset, newest.digest);
  const loaded = await loadVersion(context, task, detail);
  const { version, index, bytes } = loaded;
  logger.info({ version, digest: newest.digest, rows: index.size, bytes }, "serving a version");
  return loaded;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
