import type { Logger } from "pino";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { StoreSettings } from "../config.ts";
import { startStore } from "./server.ts";
import { createReview, podClusterAccess } from "./token-review.ts";

interface StoreProgram {
  settings: StoreSettings;
  logger: Logger;
  signal: AbortSignal;
}

/** Serves until the signal, then finishes the requests under way. */
export async function runStore({ settings, logger, signal }: StoreProgram): Promise<void> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const access = podClusterAccess(settings.KUBERNETES_SERVICE_HOST, settings.KUBERNETES_SERVICE_PORT);
  const store = await startStore({
    dataDir: settings.LEMNIS_STORE_DIR,
    postgres: settings.LEMNIS_STORE_POSTGRESQL_URL
      ? { url: settings.LEMNIS_STORE_POSTGRESQL_URL, ca: settings.LEMNIS_STORE_POSTGRESQL_CA }
      : undefined,
    host: "::",
    port: settings.LEMNIS_STORE_PORT,
    review: await createReview(access),
    operatorIdentity: settings.LEMNIS_OPERATOR_SERVICE_ACCOUNT,
    logger,
    registry,
  });
  logger.info({ url: store.url }, "the store listens");
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await store.close();
}
