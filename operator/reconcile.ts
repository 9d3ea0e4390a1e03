/** What the leader does: the loops of all kinds, until it is told to stop. */
import type { Logger } from "pino";
import type { World } from "./controllers/context.ts";
import type { Controller } from "./controllers/controller.ts";
import { delayedBy } from "./controllers/outcome.ts";
import { refusalPlan } from "./controllers/refusal.ts";
import { EventRecorder } from "./kube/events.ts";
import type { Reflector } from "./kube/reflector.ts";
import type { KubeObject, Resource } from "./kube/types.ts";
import { Answers } from "./runtime/answers.ts";
import { runController } from "./runtime/controller.ts";
import { type Echo, type Executor, execute } from "./runtime/execute.ts";
import type { Metrics } from "./runtime/metrics.ts";
import type { WorkQueue } from "./runtime/queue.ts";
import { StatusTurns } from "./runtime/status-turns.ts";

/** Reconciles of one kind at the same time: they wait for the store and for etcd's commits together. More than there are connections would wait for them. */
const workers = 40;
/** Of the statuses of one kind. */
const statuses = { atOnce: 4, patienceMs: 1_000 };

interface ReconcileInput {
  controllers: readonly Controller<never>[];
  /** One a controller, by its name. */
  queues: ReadonlyMap<string, WorkQueue>;
  world: World;
  /** The reflector of a resource. */
  reflectorOf: (resource: Resource) => Reflector<KubeObject>;
  isFresh: (resource: Resource) => boolean;
  logger: Logger;
  metrics: Metrics;
  signal: AbortSignal;
  /** Who reports Events: the pod's name. */
  instance: string;
}

/** Reconciles until the signal is aborted and the keys at work are done. */
export async function reconcileAll(input: ReconcileInput): Promise<void> {
  const { controllers, queues, world, reflectorOf, isFresh, logger, metrics, signal, instance } = input;
  const events = new EventRecorder(world.client, {
    instance,
    now: world.clock.now,
    onError: (error) => logger.warn({ err: error }, "an Event could not be written"),
  });
  const observed: Executor["observed"] = (resource, namespace, name) =>
    reflectorOf(resource).cache.get(namespace, name);
  const executor = {
    client: world.client,
    events,
    observed,
    isFresh,
    record: (record) => world.store.write(record),
    answers: new Answers(),
  } satisfies Omit<Executor, "turn">;
  const loops = controllers.map((controller) => {
    const turns = new StatusTurns(statuses);
    // What is at work then is to be done soon.
    signal.addEventListener("abort", () => turns.open(), { once: true });
    return runController({
      name: controller.name,
      queue: queues.get(controller.name) as WorkQueue,
      workers: controller.workers ?? workers,
      logger,
      metrics,
      hasEcho: (echo) => isSeen(reflectorOf(echo.resource), echo),
      onLate: ({ resource }) => reflectorOf(resource).relist(),
      reconcile: async (key, { statusDue, onWait }) => {
        const turn = turns.begin(onWait);
        try {
          return await reconcileOne({ key, statusDue }, controller, { world, executor: { ...executor, turn } });
        } finally {
          turn.end();
        }
      },
    });
  });
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  for (const queue of queues.values()) queue.close();
  await Promise.all(loops);
}

/** observe → plan → apply, for one object; undefined when it is gone. */
async function reconcileOne(
  { key, statusDue }: { key: string; statusDue: boolean },
  controller: Controller<never>,
  { world, executor }: { world: World; executor: Executor },
) {
  const [namespace = "", name = ""] = key.split("/");
  const object = world.caches[controller.cache].get(namespace, name);
  if (!object || object.metadata.deletionTimestamp) return undefined;
  const plan = await controller.plan(world, object as never);
  const subject = { object, resource: controller.resource, statusDue };
  try {
    return { outcome: plan.outcome, ...(await execute(executor, subject, plan)) };
  } catch (error) {
    const now = world.clock.now();
    const delayed = delayedBy(error, object, now);
    if (delayed) return { outcome: delayed.outcome, ...(await execute(executor, subject, delayed)) };
    const told = refusalPlan(object, plan, { error, now });
    if (told) await execute(executor, subject, told);
    throw error;
  }
}

/** What was written has come, or something newer; what was deleted is gone or going. An optional kind may be gone itself. */
function isSeen(reflector: Reflector<KubeObject>, { namespace, name, resourceVersion, uid, sentAt }: Echo): boolean {
  if (!reflector.cache.synced) return true;
  if (resourceVersion !== undefined) return reflector.hasReached(resourceVersion);
  const cached = reflector.cache.get(namespace, name)?.metadata;
  return cached?.uid !== uid || cached?.deletionTimestamp !== undefined || reflector.hasListedSince(sentAt);
}
