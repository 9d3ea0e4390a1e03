/** What the leader does: the loops of all kinds, until it is told to stop. */
import type { Logger } from "pino";
import type { World } from "./controllers/context.ts";
import type { Controller } from "./controllers/controller.ts";
import { refusalPlan } from "./controllers/refusal.ts";
import { EventRecorder } from "./kube/events.ts";
import type { KubeObject, Resource } from "./kube/types.ts";
import { runController } from "./runtime/controller.ts";
import { type Echo, type Executor, execute } from "./runtime/execute.ts";
import type { Metrics } from "./runtime/metrics.ts";
import type { WorkQueue } from "./runtime/queue.ts";

/** Reconciles of one kind at the same time. */
const workers = 8;

interface ReconcileInput {
  controllers: readonly Controller<never>[];
  /** One a controller, by its name. */
  queues: ReadonlyMap<string, WorkQueue>;
  world: World;
  /** The cached object, as far as a cache has it. */
  observed: (resource: Resource, namespace: string, name: string) => KubeObject | undefined;
  logger: Logger;
  metrics: Metrics;
  signal: AbortSignal;
  /** Who reports Events: the pod's name. */
  instance: string;
}

/** Reconciles until the signal is aborted and the keys at work are done. */
export async function reconcileAll(input: ReconcileInput): Promise<void> {
  const { controllers, queues, world, observed, logger, metrics, signal, instance } = input;
  const events = new EventRecorder(world.client, {
    instance,
    now: world.clock.now,
    onError: (error) => logger.warn({ err: error }, "an Event could not be written"),
  });
  const executor = {
    client: world.client,
    events,
    observed,
    record: (record) => world.store.write(record),
  } satisfies Executor;
  const loops = controllers.map((controller) =>
    runController({
      name: controller.name,
      queue: queues.get(controller.name) as WorkQueue,
      workers,
      logger,
      metrics,
      hasEcho: (echo) => isSeen(observed(echo.resource, echo.namespace, echo.name), echo),
      reconcile: (key) => reconcileOne(key, controller, { world, executor }),
    }),
  );
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  for (const queue of queues.values()) queue.close();
  await Promise.all(loops);
}

/** observe → plan → apply, for one object; undefined when it is gone. */
async function reconcileOne(
  key: string,
  controller: Controller<never>,
  { world, executor }: { world: World; executor: Executor },
) {
  const [namespace = "", name = ""] = key.split("/");
  const object = world.caches[controller.cache].get(namespace, name);
  if (!object || object.metadata.deletionTimestamp) return undefined;
  const plan = await controller.plan(world, object as never);
  const subject = { object, resource: controller.resource };
  try {
    return { outcome: plan.outcome, echoes: await execute(executor, subject, plan) };
  } catch (error) {
    const told = refusalPlan(object, plan, { error, now: world.clock.now() });
    if (told) await execute(executor, subject, told);
    throw error;
  }
}

/** What was written is in the cache, or something newer; what was deleted is gone or going. */
function isSeen(cached: KubeObject | undefined, { resourceVersion, uid }: Echo): boolean {
  if (resourceVersion === undefined)
    return cached?.metadata.uid !== uid || cached.metadata.deletionTimestamp !== undefined;
  return cached !== undefined && BigInt(cached.metadata.resourceVersion ?? "0") >= BigInt(resourceVersion);
}
