import { writeFile } from "node:fs/promises";
import type { Logger } from "pino";
import type { AgentStore } from "./agent-store.ts";
import { type AgentContext, type AgentPaths, agentPaths, defaultTiming, type Timing } from "./context.ts";
import { derive } from "./derive.ts";
import { evaluate } from "./evaluate.ts";
import { asTaskError, failureJson, redact, transient } from "./failure.ts";
import { serveFeatures } from "./features.ts";
import { importModel } from "./import.ts";
import { publish } from "./publish.ts";
import { snapshot } from "./snapshot.ts";
import { stage } from "./stage.ts";
import { permanentFailure, type Task } from "./tasks.ts";

export interface AgentOptions {
  task: Task;
  store: AgentStore;
  logger: Logger;
  /** Where the container's folders are; tests put them elsewhere. */
  paths?: AgentPaths;
  timing?: Partial<Timing>;
  /** Tests only: sources may be on this machine. */
  allowLoopback?: boolean;
  /** Ends the task at once (SIGTERM). What runs on in the background ends with the process. */
  signal?: AbortSignal;
}

/**
 * Does one task. Exit code 0 when it is done, 3 when a retry can't mend why it is not, 1 when it may. The termination
 * message holds what was made, or a `taskFailure`.
 */
export async function runAgent({ task, store, logger, signal, ...options }: AgentOptions): Promise<number> {
  const paths = options.paths ?? agentPaths;
  const { allowLoopback } = options;
  const timing = { ...defaultTiming, ...options.timing };
  const context: AgentContext = { store, logger, paths, timing, allowLoopback, signal };
  const started = Date.now();
  logger.info({ verb: task.verb, namespace: task.namespace }, "task begins");
  try {
    const ends = task.verb === "features" ? [] : [interruption(signal)];
    const result = await Promise.race([perform(context, task), ...ends]);
    await writeMessage(context, JSON.stringify(result));
    logger.info({ seconds: (Date.now() - started) / 1000 }, "task done");
    return 0;
  } catch (error) {
    const failure = asTaskError(error);
    const { reason, retryable } = failure;
    const stack = reason === "InternalError" && error instanceof Error ? { stack: redact(error.stack ?? "") } : {};
    logger.error({ reason, retryable, ...stack }, redact(failure.message));
    await writeMessage(context, failureJson(failure));
    return retryable ? 1 : permanentFailure;
  }
}

function perform(context: AgentContext, task: Task): Promise<object> {
  switch (task.verb) {
    case "snapshot":
      return snapshot(context, task);
    case "derive":
      return derive(context, task);
    case "features":
      return serveFeatures(context, task);
    case "stage":
      return stage(context, task);
    case "publish":
      return publish(context, task);
    case "import":
      return importModel(context, task);
    case "evaluate":
      return evaluate(context, task);
  }
}

function interruption(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = () => reject(transient("InternalError", "the pod was told to end before the task was done"));
    if (signal?.aborted) end();
    signal?.addEventListener("abort", end, { once: true });
  });
}

async function writeMessage({ paths, logger }: AgentContext, message: string): Promise<void> {
  try {
    await writeFile(paths.terminationLog, message);
  } catch (error) {
    logger.warn({ error: String(error) }, "the termination message could not be written");
  }
}
