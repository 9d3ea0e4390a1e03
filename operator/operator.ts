/** The operator: caches, controllers, leader election, health. Everything it needs comes in as arguments. */
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { Dataset } from "./api/v1alpha1/dataset.ts";
import type { OperatorSettings } from "./config.ts";
import type { Caches, World } from "./controllers/context.ts";
import { type Controller, keyOf } from "./controllers/controller.ts";
import { datasetController } from "./controllers/dataset/controller.ts";
import { inferenceServiceController } from "./controllers/inference-service/controller.ts";
import { modelController } from "./controllers/model/controller.ts";
import { trainingJobController } from "./controllers/training-job/controller.ts";
import { DatasetMetrics } from "./dataset-metrics.ts";
import { KubeClient } from "./kube/client.ts";
import type { KubeConfig } from "./kube/config.ts";
import { Leadership } from "./kube/leadership.ts";
import type { Change, Reflector } from "./kube/reflector.ts";
import type { KubeObject, Resource } from "./kube/types.ts";
import { OptionalKinds, optionalKinds, usersOf } from "./optional-kinds.ts";
import { reconcileAll } from "./reconcile.ts";
import { refreshDataset } from "./refresh.ts";
import { startRefreshHook } from "./refresh-hook.ts";
import { systemClock } from "./runtime/clock.ts";
import { startHealthServer } from "./runtime/health.ts";
import { createMetrics } from "./runtime/metrics.ts";
import { WorkQueue } from "./runtime/queue.ts";
import { StoreClient } from "./store/client.ts";
import { tokenFile } from "./store/token-file.ts";
import { createReflectors, type Reflectors } from "./world.ts";

const controllers: readonly Controller<never>[] = [
  datasetController,
  trainingJobController,
  modelController,
  inferenceServiceController,
];

/** How long the start waits for the objects of kinds that are not ours, which a broken project may never serve. */
const patienceMs = 30_000;

/** For as long a view counts as that of the world as it is. */
const freshSeconds = 1;

export interface OperatorInput {
  kubeConfig: KubeConfig;
  settings: OperatorSettings;
  logger: Logger;
  /** Aborted: finish the keys at work, release the Lease, return. */
  signal: AbortSignal;
  /** Called when another process may lead: end at once, without another write. */
  onLost: (error: Error | undefined) => void;
}

/** Runs until the signal is aborted. */
export async function runOperator({ kubeConfig, settings, logger, signal, onLost }: OperatorInput): Promise<void> {
  const registry = new Registry();
  // A look at the event loop every 10 ms, which is usual, is 0.4 % of a core: as much as all else at rest.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  const metrics = createMetrics(registry);
  const datasetMetrics = new DatasetMetrics(registry);
  const count = ({ verb, resource, code }: { verb: string; resource: string; code: number }) =>
    metrics.apiRequests.inc({ verb, resource, code: String(code) });

  const leadership = new Leadership(kubeConfig, {
    namespace: settings.POD_NAMESPACE,
    name: "lemnis-operator",
    identity: settings.POD_NAME,
    onRequest: count,
    onLost,
  });
  const client = new KubeClient(kubeConfig, { onRequest: count, writeGuard: leadership.guard });
  const store = new StoreClient({
    url: settings.LEMNIS_STORE_URL,
    token: tokenFile(settings.LEMNIS_STORE_TOKEN_FILE),
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
    relistMs: settings.LEMNIS_RELIST_SECONDS * 1000,
    onRestart: ({ plural }, reason, error) => {
      metrics.watchRestarts.inc({ resource: plural, reason });
      if (error) logger.warn({ resource: plural, reason, err: error }, "a watch broke, will begin anew");
    },
    onChange: (cache, change) => {
      if (cache === "datasets") datasetMetrics.update(change.object as Dataset, change.type === "deleted");
      for (const controller of controllers) {
        const queue = queues.get(controller.name);
        if (controller.cache === cache) queue?.add(keyOf(change.object), isEdit(change) ? "edit" : "change");
        for (const key of controller.watches[cache]?.(change.object, caches) ?? []) queue?.add(key, "change");
      }
    },
  });
  const caches = Object.fromEntries(
    Object.entries(reflectors).map(([name, { cache }]) => [name, cache]),
  ) as unknown as Caches;
  const byPlural = new Map(Object.values(reflectors).map((reflector) => [reflector.resource.plural, reflector]));
  const reflectorOf = ({ plural }: Resource) => byPlural.get(plural) as unknown as Reflector<KubeObject>;

  // Any watch that was heard a moment ago tells that the API server behind it sees what is written; one that broke has yet to tell what it missed.
  const isFresh = (resource: Resource) =>
    !reflectorOf(resource).isBehind &&
    Object.values(reflectors).some(({ stalenessSeconds }) => stalenessSeconds < freshSeconds);

  const optional = new OptionalKinds(client, reflectors, {
    signal,
    onChange: (kind) => {
      for (const { name, cache } of controllers)
        for (const key of usersOf(kind, caches[cache])) queues.get(name)?.add(key, "change");
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
      deniedRanges: settings.LEMNIS_DENIED_RANGES,
    },
    has: (kind) => optional.has(kind),
  };

  const always = Object.entries(reflectors).filter(([name]) => !(name in optionalKinds));
  const watched = [optional.definitions, ...always.map(([, reflector]) => reflector)];
  const health = await startHealthServer({
    port: settings.LEMNIS_METRICS_PORT,
    registry,
    notReady: () => {
      const waiting = watched.filter(({ cache }) => !cache.synced).map(({ resource }) => resource.plural);
      return waiting.length > 0 ? `still listing ${waiting.join(", ")}` : undefined;
    },
  });
  // Its writes are the callers', not decisions of ours: they need no lease.
  const callers = new KubeClient(kubeConfig, { onRequest: count });
  const hook = await startRefreshHook({
    ...{ port: settings.LEMNIS_WEBHOOK_PORT, logger },
    dataset: (namespace, name) => caches.datasets.get(namespace, name),
    refresh: (dataset) => refreshDataset(callers, dataset, systemClock.now()),
    onAnswer: (code) => metrics.refreshes.inc({ code: String(code) }),
  });
  const gauges = setInterval(() => {
    metrics.leader.set(leadership.isLeader() ? 1 : 0);
    for (const [controller, queue] of queues) metrics.queueDepth.set({ controller }, queue.depth);
    // What has gone is not shown at its last value.
    metrics.cacheObjects.reset();
    metrics.cacheStaleness.reset();
    for (const { resource, cache, stalenessSeconds } of [...watched, ...optional.watched()]) {
      metrics.cacheObjects.set({ resource: resource.plural }, cache.size);
      metrics.cacheStaleness.set({ resource: resource.plural }, stalenessSeconds);
    }
  }, 2_000);

  const stopWatches = new AbortController();
  const watching = watched.map((reflector) => reflector.run(stopWatches.signal));
  const synced = Promise.all([...watched.map(({ whenSynced }) => whenSynced), optional.settled(patienceMs)]);
  await Promise.race([synced, aborted(signal)]);
  logger.info({ leader: false }, "caches are filled, waiting for the lease");
  if (await leadership.acquire(signal)) {
    logger.info({ leader: true }, "leading");
    await reconcileAll({
      controllers,
      queues,
      world,
      reflectorOf,
      isFresh,
      logger,
      metrics,
      signal,
      instance: settings.POD_NAME,
    });
    await leadership.release();
  }
  stopWatches.abort();
  clearInterval(gauges);
  health.close();
  hook.close();
  await Promise.all([...watching, client.close(), callers.close()]);
}

/** A user's doing, not the echo of our own status or what a list brought. */
function isEdit({ object, previous, listed }: Change<KubeObject>): boolean {
  if (listed) return false;
  const { generation, annotations } = object.metadata;
  const before = previous?.().metadata;
  return !before || generation !== before.generation || !isDeepStrictEqual(annotations, before.annotations);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
