/** The feature server's HTTP interface. */
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, LogController } from "fastify";
import type { Logger } from "pino";
import { KeyError, readKey } from "./keys.ts";
import type { Served } from "./load.ts";
import type { FeatureMetrics } from "./metrics.ts";

const maxKeys = 1000;
const bodyLimit = 1 << 20;

interface ServerInput {
  /** The version to answer from; undefined while there is none. */
  current: () => Served | undefined;
  /** True once the server is to end: callers are to go elsewhere. */
  draining: () => boolean;
  metrics: FeatureMetrics;
  logger: Logger;
}

class HttpError extends Error {
  readonly statusCode: number;
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

export function createFeatureServer({ current, draining, metrics, logger }: ServerInput): FastifyInstance {
  const app: FastifyInstance = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    // A request's url holds keys, which may be sensitive.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    forceCloseConnections: "idle",
  });
  addErrors(app, logger);
  app.addHook("onSend", async (_request, reply) => {
    if (draining()) reply.header("connection", "close");
  });
  app.addHook("onResponse", async ({ method, routeOptions }, { statusCode, elapsedTime }) => {
    if (routeOptions.url === "/v1/features") metrics.answered({ method, code: statusCode }, elapsedTime / 1000);
  });

  app.post("/v1/features", async (request, reply) => {
    const served = need(current());
    const keys = readKeys(request.body);
    const rows = keys.map((key, index) => served.index.find(readKey(served.keys, key, `keys[${index}]`)));
    count(rows);
    return send(reply, served, listRows(rows));
  });

  app.get("/v1/features", async (request, reply) => {
    const served = need(current());
    const row = served.index.find(readKey(served.keys, request.query, "query"));
    count([row]);
    if (!row) throw new HttpError(404, "NotFound", `no row of version ${served.version} has this key`);
    return send(reply, served, row);
  });

  app.get("/healthz", async () => "ok\n");
  app.get("/readyz", async () => {
    if (draining()) throw new HttpError(503, "Ending", "the server is ending");
    need(current());
    return "ok\n";
  });
  app.get("/metrics", async (_request, reply) => {
    reply.header("content-type", metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  return app;

  function count(rows: readonly (Buffer | undefined)[]): void {
    const found = rows.filter((row) => row !== undefined).length;
    metrics.looked("found", found);
    metrics.looked("unknown", rows.length - found);
  }
}

function need(served: Served | undefined): Served {
  if (served) return served;
  throw new HttpError(503, "NotReady", "no version of the Dataset is loaded yet: try again");
}

function readKeys(body: unknown): unknown[] {
  const keys = (body as { keys?: unknown } | null | undefined)?.keys;
  if (!Array.isArray(keys)) throw new KeyError('keys: must be a list, as in {"keys": [{"customer": 7}]}');
  if (keys.length > 0 && keys.length <= maxKeys) return keys;
  throw new KeyError(`keys: must have 1 to ${maxKeys} items, and has ${keys.length}`);
}

const [open, separator, close, nothing] = ['{"rows":[', ",", "]}\n", "null"].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];

function listRows(rows: readonly (Buffer | undefined)[]): Buffer {
  const parts = rows.flatMap((row, index) => [index === 0 ? open : separator, row ?? nothing]);
  return Buffer.concat([...parts, close]);
}

/** The version in a structured field (RFC 9651): an integer with a parameter. */
function send(reply: FastifyReply, { version, digest }: Served, body: Buffer): FastifyReply {
  return reply
    .header("lemnis-dataset-version", `${version};digest=${digest}`)
    .header("content-type", "application/json")
    .send(body);
}

function addErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    const { status, code, message } = describe(error);
    if (status === 500) logger.error({ stack: error.stack }, "a request failed");
    return reply.status(status).send({ error: { code, message } });
  });
  app.setNotFoundHandler(({ method }, reply) =>
    reply.status(404).send({ error: { code: "NotFound", message: `no such route; ask ${method} /v1/features` } }),
  );
}

function describe(error: Error & { statusCode?: number; code?: string }) {
  if (error instanceof KeyError) return { status: 400, code: "Invalid", message: error.message };
  if (error.statusCode === 413) {
    return { status: 413, code: "TooLarge", message: `the body must have at most ${bodyLimit} bytes: ask in parts` };
  }
  // Of JSON that can't be parsed, fastify's words tell a part: the caller knows it.
  if (error.statusCode) return { status: error.statusCode, code: error.code ?? "Invalid", message: error.message };
  return { status: 500, code: "Internal", message: "the server failed; its log says why" };
}
