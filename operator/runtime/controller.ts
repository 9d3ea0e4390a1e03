/** The loop of one kind: take a key, reconcile it, and decide from the outcome when to come back. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "pino";
import { NameTakenError } from "../kube/apply.ts";
import { ApiError, classify, NotLeaderError } from "../kube/errors.ts";
import type { Echo, Executed } from "./execute.ts";
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
  reconcile: (key: string, about: PassInput) => Promise<Pass | undefined>;
  /** True once the cache has seen what was written. */
  hasEcho: (echo: Echo) => boolean;
  /** Told of a write that should have come back by now. */
  onLate: (echo: Echo) => void;
}

interface PassInput {
  /** What the pass before it returned. */
  statusDue: boolean;
  /** To be called when nothing is left but a status that waits for its turn: the worker takes another key meanwhile. */
  onWait: () => void;
}

export interface Pass extends Executed {
  outcome: Outcome;
}

/** Passes whose status waits, beside the one at work: of each worker. */
const waitingOfEach = 4;

/** A write that has not come back after this long has been lost on the way: its watch must begin anew. */
const lateMs = 5_000;
const sweepMs = 1_000;
/** What the API server refuses for good is tried again this seldom. */
const refusedMs = 60_000;

/** What the last pass of a key wrote. */
interface Wait extends Executed {
  lateAt: number;
}
type Waits = Map<string, Wait>;
const nothing: Executed = { echoes: [], statusDue: false };

/** Runs until the queue is closed and the keys at work are done. */
export async function runController(input: LoopInput): Promise<void> {
  const waits: Waits = new Map();
  const sweep = setInterval(() => sweepLate(input, waits), sweepMs);
  await Promise.all(Array.from({ length: input.workers }, () => runWorker(input, waits)));
  clearInterval(sweep);
}

async function runWorker(input: LoopInput, waits: Waits): Promise<void> {
  const { queue } = input;
  const underWay = new Set<Promise<void>>();
  /** Frees the worker of its newest pass, if that one only waits and few others do. */
  let look = () => {};
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    const { promise: isFree, resolve: free, reject } = Promise.withResolvers<void>();
    let isWaiting = false;
    look = () => {
      if (isWaiting && underWay.size <= waitingOfEach) free();
    };
    const onWait = () => {
      isWaiting = true;
      look();
    };
    const pass = runPass(input, waits, { key, onWait });
    underWay.add(pass);
    const end = () => {
      underWay.delete(pass);
      free();
      look();
    };
    pass.then(end, reject);
    await isFree;
  }
  await Promise.all(underWay);
}

async function runPass(
  input: LoopInput,
  waits: Waits,
  { key, onWait }: { key: string; onWait: () => void },
): Promise<void> {
  try {
    // A reconcile that finds nothing to do waits for nothing: ten thousand of them would keep watches and probes waiting.
    await nextTurn();
    const wait = waits.get(key);
    // A plan from a cache that lacks our own last write would undo or repeat it. The write brings the key back.
    if (wait && !wait.echoes.every(input.hasEcho)) return;
    waits.delete(key);
    const done = await reconcileOnce(input, key, { statusDue: wait?.statusDue ?? false, onWait });
    if (done.echoes.length > 0) waits.set(key, { ...done, lateAt: performance.now() + lateMs });
  } finally {
    input.queue.done(key);
  }
}

/** Sees to writes that do not come back, and to keys that nobody brings back. */
function sweepLate({ queue, hasEcho, onLate }: LoopInput, waits: Waits): void {
  const now = performance.now();
  for (const [key, wait] of waits) {
    if (wait.lateAt > now) continue;
    wait.lateAt = now + lateMs;
    for (const echo of wait.echoes) if (!hasEcho(echo)) onLate(echo);
    queue.add(key, "change");
  }
}

async function reconcileOnce(input: LoopInput, key: string, about: PassInput): Promise<Executed> {
  const { name, queue, metrics } = input;
  const logger = input.logger.child({
    controller: name,
    object: key,
    reconcile: Math.random().toString(36).slice(2, 10),
  });
  const stop = metrics.duration.startTimer({ controller: name });
  try {
    const result = await input.reconcile(key, about);
    queue.forget(key);
    if (!result) return nothing;
    const { outcome, echoes } = result;
    metrics.reconciles.inc({ controller: name, result: outcome.kind });
    if (outcome.kind === "waiting" && outcome.requeueAfterMs !== undefined) queue.addAfter(key, outcome.requeueAfterMs);
    logger.debug({ outcome: outcome.kind, writes: echoes.length }, "reconciled");
    return result;
  } catch (error) {
    fail(input, { key, error, logger });
    return nothing;
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
