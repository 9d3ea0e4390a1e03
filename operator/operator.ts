/** The operator: caches, controllers, leader election, health. Everything it needs comes in as arguments. */
import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { OperatorSettings } from "./config.ts";
import type { Caches, World } from "./controllers/context.ts";
import { type Controller, keyOf } from "./controllers/controller.ts";
import { datasetController } from "./controllers/dataset/controller.ts";
import { inferenceServiceController } from "./controllers/inference-service/controller.ts";
import { modelController } from "./controllers/model/controller.ts";
import { refusalPlan } from "./controllers/refusal.ts";
import { trainingJobController } from "./controllers/training-job/controller.ts";
import { KubeClient } from "./kube/client.ts";
import type { KubeConfig } from "./kube/config.ts";
import { EventRecorder } from "./kube/events.ts";
import { Elector } from "./kube/lease.ts";
import { Reflector } from "./kube/reflector.ts";
import { customResourceDefinitions, serviceMonitors } from "./kube/resources.ts";
import type { KubeObject, Resource } from "./kube/types.ts";
import { systemClock } from "./runtime/clock.ts";
import { runController } from "./runtime/controller.ts";
import { type Echo, execute } from "./runtime/execute.ts";
import { startHealthServer } from "./runtime/health.ts";
import { createMetrics } from "./runtime/metrics.ts";
import { WorkQueue } from "./runtime/queue.ts";
import { StoreClient } from "./store/client.ts";
import { createReflectors, type Reflectors } from "./world.ts";

const controllers: readonly Controller<never>[] = [
  datasetController,
  trainingJobController,
  modelController,
  inferenceServiceController,
];

/** Reconciles of one kind at the same time. */
const workers = 8;

export interface OperatorInput {
  kubeConfig: KubeConfig;
  settings: OperatorSettings;
  logger: Logger;
  /** Aborted: finish the keys at work, release the Lease, return. */
  signal: AbortSignal;
  /** Called when another process may lead: end at once, without another write. */
  onLost: () => void;
}

/** Runs until the signal is aborted. */
export async function runOperator({ kubeConfig, settings, logger, signal, onLost }: OperatorInput): Promise<void> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics = createMetrics(registry);
  const count = ({ verb, resource, code }: { verb: string; resource: string; code: number }) =>
    metrics.apiRequests.inc({ verb, resource, code: String(code) });

  const leaseClient = new KubeClient(kubeConfig, { onRequest: count, deadlineMs: 5_000 });
  const elector = new Elector(leaseClient, {
    namespace: settings.POD_NAMESPACE,
    name: "lemnis-operator",
    identity: settings.POD_NAME,
    clock: systemClock,
    onLost,
  });
  const client = new KubeClient(kubeConfig, { onRequest: count, writeGuard: elector.guard });
  const store = new StoreClient({
    url: settings.LEMNIS_STORE_URL,
    token: async () => (await readFile(settings.LEMNIS_STORE_TOKEN_FILE, "utf8")).trim(),
    // The queue tries again, and meanwhile the status says what is wrong.
    tries: 1,
  });
  const queues = new Map(
    controllers.map(({ name }) => [
      name,
      new WorkQueue({ onTaken: (ms) => metrics.queueLatency.observe({ controller: name }, ms / 1000) }),
    ]),
  );

  const reflectors: Reflectors = createReflectors(client, {
    onRestart: ({ plural }, reason, error) => {
      metrics.watchRestarts.inc({ resource: plural, reason });
      if (error) logger.warn({ resource: plural, reason, err: error }, "a watch broke, will begin anew");
    },
    onChange: (cache, { object, listed }) => {
      for (const controller of controllers) {
        const queue = queues.get(controller.name);
        const priority = listed ? "resync" : "edit";
        const keys = controller.cache === cache ? [keyOf(object)] : (controller.watches[cache]?.(object, caches) ?? []);
        for (const key of keys) queue?.add(key, priority);
      }
    },
  });
  const caches = Object.fromEntries(
    Object.entries(reflectors).map(([name, { cache }]) => [name, cache]),
  ) as unknown as Caches;
  const byPlural = new Map(Object.values(reflectors).map((reflector) => [reflector.resource.plural, reflector.cache]));
  const observed = ({ plural }: Resource, namespace: string, name: string): KubeObject | undefined =>
    byPlural.get(plural)?.get(namespace, name);

  let monitorsWatch: AbortController | undefined;
  const definitions = new Reflector<KubeObject>(client, customResourceDefinitions, {
    metadataOnly: true,
    onChange: ({ type, object }) => {
      if (object.metadata.name !== `${serviceMonitors.plural}.${serviceMonitors.group}`) return;
      if (type === "deleted") {
        monitorsWatch?.abort();
        monitorsWatch = undefined;
        reflectors.serviceMonitors.clear();
      } else if (!monitorsWatch) {
        monitorsWatch = new AbortController();
        void reflectors.serviceMonitors.run(AbortSignal.any([signal, monitorsWatch.signal]));
        void reflectors.serviceMonitors.whenSynced.then(() => {
          for (const service of caches.inferenceServices.list())
            queues.get("inferenceservice")?.add(keyOf(service), "resync");
        });
      }
    },
  });

  const world: World = {
    caches,
    client,
    store,
    clock: systemClock,
    settings: {
      storeUrl: settings.LEMNIS_STORE_URL,
      agentImage: settings.LEMNIS_AGENT_IMAGE,
      agentImagePullPolicy: settings.LEMNIS_AGENT_IMAGE_PULL_POLICY,
      drainMs: settings.LEMNIS_DRAIN_SECONDS * 1000,
    },
    hasServiceMonitors: () => monitorsWatch !== undefined && caches.serviceMonitors.synced,
  };

  const { serviceMonitors: _, ...always } = reflectors;
  const watched = [definitions, ...Object.values(always)];
  const health = await startHealthServer({
    port: settings.LEMNIS_METRICS_PORT,
    registry,
    notReady: () => {
      const waiting = watched.filter(({ cache }) => !cache.synced).map(({ resource }) => resource.plural);
      return waiting.length > 0 ? `still listing ${waiting.join(", ")}` : undefined;
    },
  });
  const gauges = setInterval(() => {
    metrics.leader.set(elector.isLeader() ? 1 : 0);
    for (const [controller, queue] of queues) metrics.queueDepth.set({ controller }, queue.depth);
    for (const { resource, cache, stalenessSeconds } of watched) {
      metrics.cacheObjects.set({ resource: resource.plural }, cache.size);
      metrics.cacheStaleness.set({ resource: resource.plural }, stalenessSeconds);
    }
  }, 2_000);

  const stopWatches = new AbortController();
  const watching = watched.map((reflector) => reflector.run(stopWatches.signal));
  await Promise.race([Promise.all(watched.map(({ whenSynced }) => whenSynced)), aborted(signal)]);
  logger.info({ leader: false }, "caches are filled, waiting for the lease");
  if (await elector.acquire(signal)) {
    logger.info({ leader: true }, "leading");
    const keeping = new AbortController();
    const kept = elector.keep(keeping.signal);
    const events = new EventRecorder(client, {
      instance: settings.POD_NAME,
      now: () => new Date(),
      onError: (error) => logger.warn({ err: error }, "an Event could not be written"),
    });
    const executor = {
      client,
      events,
      observed,
      record: (record: Parameters<StoreClient["write"]>[0]) => store.write(record),
    };
    const loops = controllers.map((controller) => {
      const queue = queues.get(controller.name) as WorkQueue;
      return runController({
        name: controller.name,
        queue,
        workers,
        logger,
        metrics,
        hasEcho: (echo) => isSeen(observed(echo.resource, echo.namespace, echo.name), echo),
        reconcile: async (key) => {
          const [namespace = "", name = ""] = key.split("/");
          const object = caches[controller.cache].get(namespace, name);
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
        },
      });
    });
    await aborted(signal);
    for (const queue of queues.values()) queue.close();
    await Promise.all(loops);
    keeping.abort();
    await kept;
    await elector.release();
  }
  stopWatches.abort();
  clearInterval(gauges);
  health.close();
  await Promise.all([...watching, client.close(), leaseClient.close()]);
}

/** What was written is in the cache, or something newer; what was deleted is gone or going. */
function isSeen(cached: KubeObject | undefined, { resourceVersion, uid }: Echo): boolean {
  if (resourceVersion === undefined)
    return cached?.metadata.uid !== uid || cached.metadata.deletionTimestamp !== undefined;
  return cached !== undefined && BigInt(cached.metadata.resourceVersion ?? "0") >= BigInt(resourceVersion);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
