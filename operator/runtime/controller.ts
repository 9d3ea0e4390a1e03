/** The loop of one kind: take a key, reconcile it, and decide from the outcome when to come back. */
import type { Logger } from "pino";
import { NameTakenError } from "../kube/apply.ts";
import { ApiError, classify, NotLeaderError } from "../kube/errors.ts";
import type { Echo } from "./execute.ts";
import type { Metrics } from "./metrics.ts";
import type { Outcome } from "./plan.ts";
import type { WorkQueue } from "./queue.ts";

export interface LoopInput {
  name: string;
  queue: WorkQueue;
  workers: number;
  logger: Logger;
  metrics: Metrics;
  /** One reconcile; undefined when the object is gone. */
  reconcile: (key: string, logger: Logger) => Promise<{ outcome: Outcome; echoes: Echo[] } | undefined>;
  /** True once the cache has seen what was written. */
  hasEcho: (echo: Echo) => boolean;
}

/** A write that has not come back after this long may have been lost on the way; the next reconcile finds out. */
const echoDeadlineMs = 5_000;
const echoPollMs = 20;
/** What the API server refuses for good is tried again this seldom. */
const refusedMs = 60_000;

/** Runs until the queue is closed and the keys at work are done. */
export async function runController(input: LoopInput): Promise<void> {
  const written = new Map<string, { echoes: Echo[]; deadline: number }>();
  await Promise.all(Array.from({ length: input.workers }, () => runWorker(input, written)));
}

async function runWorker(input: LoopInput, written: Map<string, { echoes: Echo[]; deadline: number }>): Promise<void> {
  const { queue } = input;
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    try {
      if (await echoesArrived(input, written.get(key))) {
        written.delete(key);
        const echoes = await reconcileOnce(input, key);
        if (echoes.length > 0) written.set(key, { echoes, deadline: performance.now() + echoDeadlineMs });
      } else {
        queue.addAfter(key, echoPollMs);
      }
    } finally {
      queue.done(key);
    }
  }
}

/** A plan from a cache that lacks our own last write would undo or repeat it. */
async function echoesArrived(
  { hasEcho }: LoopInput,
  wait: { echoes: Echo[]; deadline: number } | undefined,
): Promise<boolean> {
  return !wait || performance.now() > wait.deadline || wait.echoes.every(hasEcho);
}

async function reconcileOnce(input: LoopInput, key: string): Promise<Echo[]> {
  const { name, queue, metrics } = input;
  const logger = input.logger.child({
    controller: name,
    object: key,
    reconcile: Math.random().toString(36).slice(2, 10),
  });
  const stop = metrics.duration.startTimer({ controller: name });
  try {
    const result = await input.reconcile(key, logger);
    queue.forget(key);
    if (!result) return [];
    const { outcome, echoes } = result;
    metrics.reconciles.inc({ controller: name, result: outcome.kind });
    if (outcome.kind === "waiting" && outcome.requeueAfterMs !== undefined) queue.addAfter(key, outcome.requeueAfterMs);
    logger.debug({ outcome: outcome.kind, writes: echoes.length }, "reconciled");
    return echoes;
  } catch (error) {
    fail(input, { key, error, logger });
    return [];
  } finally {
    stop();
  }
}

/** Each class of error has its own pace; none is hot. */
function fail(
  { name, queue, metrics }: LoopInput,
  { key, error, logger }: { key: string; error: unknown; logger: Logger },
): void {
  if (error instanceof NotLeaderError) return;
  const kind = error instanceof NameTakenError ? "taken" : classify(error);
  metrics.reconciles.inc({ controller: name, result: "error" });
  metrics.errors.inc({ controller: name, class: kind });
  const seldom = kind === "forbidden" || kind === "invalid" || kind === "terminal" || kind === "taken";
  const retryAfter = error instanceof ApiError ? error.retryAfterMs : undefined;
  const delay = queue.retry(key, seldom ? refusedMs : (retryAfter ?? 0));
  const told = { class: kind, retryInMs: Math.round(delay), err: error };
  if (seldom) logger.error(told, "reconcile failed");
  else logger.warn(told, "reconcile failed, will try again");
}
