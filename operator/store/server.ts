/** The store as an HTTP service: routes, who may use them, errors in one form. */
import { mkdirSync } from "node:fs";
import { statfs } from "node:fs/promises";
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { ZodError } from "zod";
import { objectName } from "./api.ts";
import { Authenticator, type Review, requireNamespace } from "./auth.ts";
import { Blobs } from "./blobs.ts";
import type { Database } from "./database.ts";
import { Datasets } from "./datasets.ts";
import { HttpError } from "./errors.ts";
import { followHandlers } from "./handlers.ts";
import { createStoreMetrics } from "./metrics.ts";
import { Models } from "./models.ts";
import { openDatabase } from "./open-database.ts";
import type { PostgresAddress } from "./postgres.ts";
import { ProgressBoard } from "./progress.ts";
import { Retention } from "./retention.ts";
import { addArtifactRoutes } from "./routes/artifacts.ts";
import { addRecordRoutes } from "./routes/records.ts";
import { Runs } from "./runs.ts";
import { isDamage } from "./sqlite.ts";

export interface StoreInput {
  dataDir: string;
  /** For the metadata, instead of a file in `dataDir`. */
  postgres?: PostgresAddress | undefined;
  host: string;
  port: number;
  review: (token: string) => Promise<Review>;
  operatorIdentity: string;
  logger: Logger;
  registry: Registry;
}

export interface Store {
  url: string;
  /** Finishes the requests under way. */
  close(): Promise<void>;
}

/** What routes work with. */
export interface Services {
  database: Database;
  blobs: Blobs;
  datasets: Datasets;
  models: Models;
  runs: Runs;
  progress: ProgressBoard;
}

const bodyLimit = 16 * 2 ** 20;
/** Uploads whose record never came. */
const unusedMs = 24 * 3600_000;
const collectEveryMs = 3600_000;
/** Less room than this, and the store says that it is not ready. */
const freeBytes = 64 * 2 ** 20;

export async function startStore(input: StoreInput): Promise<Store> {
  const { dataDir, postgres, host, port, logger, registry } = input;
  mkdirSync(dataDir, { recursive: true });
  const database = await openDatabase({ folder: dataDir, postgres, logger });
  const blobs = new Blobs(dataDir, database);
  const models = new Models(database, blobs);
  const retention = new Retention(database, blobs);
  const services: Services = {
    database,
    blobs,
    models,
    datasets: new Datasets(database, blobs, retention),
    runs: new Runs(database, models),
    progress: new ProgressBoard(),
  };
  const app: FastifyInstance = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    requestTimeout: 0,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 300 },
  });
  const handlersAreDone = followHandlers(app);
  addErrors(app, logger);
  addProbes(app, { services, registry, dataDir });
  const metrics = createStoreMetrics(registry, services);
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    metrics.observe({ method: request.method, route, code: reply.statusCode }, reply.elapsedTime / 1000);
  });
  await app.register(
    async (scope) => {
      const authenticator = new Authenticator(input);
      scope.decorateRequest("caller");
      scope.addHook("onRequest", async (request) => {
        const namespace = objectName.parse((request.params as { namespace: string }).namespace);
        const caller = await authenticator.identify(request.headers);
        requireNamespace(caller, namespace);
        request.caller = caller;
      });
      addRecordRoutes(scope, services);
      await scope.register(async (artifacts) => addArtifactRoutes(artifacts, services));
    },
    { prefix: "/v1/namespaces/:namespace" },
  );
  const url = await app.listen({ host, port });
  const tell = (reclaimed: Promise<number>) =>
    reclaimed.then(
      (count) => count > 0 && logger.info({ count }, "unused artifacts removed"),
      (error: unknown) => !isClosed && logger.error({ err: error }, "unused artifacts could not be removed"),
    );
  let isClosed = false;
  void tell(blobs.collectStray());
  const reclaim = () => retention.retireAll().then(() => blobs.collect(unusedMs));
  const collector = setInterval(() => void tell(reclaim()), collectEveryMs);
  return {
    url,
    close: async () => {
      isClosed = true;
      clearInterval(collector);
      // A connection whose last request ends now would be kept for a next one.
      const sweep = setInterval(() => app.server.closeIdleConnections(), 50);
      await app.close();
      clearInterval(sweep);
      await handlersAreDone();
      await database.close();
    },
  };
}

function addErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    const { status, code, message } = describe(error);
    if (status >= 500)
      logger.error({ err: error, method: request.method, route: request.routeOptions.url }, "request failed");
    return reply.status(status).send({ error: { code, message } });
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .status(404)
      .send({ error: { code: "NotFound", message: `no route ${request.method} ${request.url.split("?")[0]}` } }),
  );
}

function describe(error: Error & { statusCode?: number; code?: string }): {
  status: number;
  code: string;
  message: string;
} {
  if (error instanceof HttpError) return error;
  if (error instanceof ZodError) {
    const message = error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`).join("; ");
    return { status: 422, code: "Invalid", message };
  }
  if (error.statusCode && error.statusCode < 500) {
    return { status: error.statusCode, code: error.code ?? "BadRequest", message: error.message };
  }
  if (/database or disk is full/.test(error.message)) {
    return { status: 507, code: "DiskFull", message: "the store's volume is full: make it larger, or delete versions" };
  }
  if (/database is locked|busy/.test(error.message)) {
    return { status: 503, code: "Locked", message: "the store's database is locked by another process: try again" };
  }
  if (isDamage(error)) {
    return {
      status: 503,
      code: "Damaged",
      message: "the store's database is damaged: restore its volume from a backup",
    };
  }
  return { status: 500, code: "Internal", message: "the store failed; its log says why" };
}

function addProbes(
  app: FastifyInstance,
  { services, registry, dataDir }: { services: Services; registry: Registry; dataDir: string },
): void {
  app.get("/healthz", async () => "ok\n");
  app.get("/readyz", async () => {
    await services.database.transaction((queries) => queries.get("SELECT 1"));
    const { bavail, bsize } = await statfs(dataDir);
    if (bavail * bsize < freeBytes)
      throw new HttpError(503, "DiskFull", "less than 64 MiB are free on the store's volume");
    return "ok\n";
  });
  app.get("/metrics", async (_request, reply) => {
    void reply.header("content-type", registry.contentType);
    return registry.metrics();
  });
}
