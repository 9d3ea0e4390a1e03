/**
 * POST /refresh/{namespace}/{name}, with a Dataset's token: asks for a look at its source. Any replica answers, and writes
 * nothing but the annotation that a user would write: see docs/decisions/0025.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { Dataset } from "./api/v1alpha1/dataset.ts";
import { RefreshGate } from "./refresh-gate.ts";

interface HookInput {
  port: number;
  dataset: (namespace: string, name: string) => Dataset | undefined;
  /** Asks for a look at this very object's source. */
  refresh: (dataset: Dataset) => Promise<void>;
  logger: Logger;
  /** Told of each answer. */
  onAnswer: (code: number) => void;
}

/** What notifications may bring; it is not looked at. */
const bodyBytes = 2 ** 20;
const nobody = Buffer.alloc(32);

/** Resolves when it listens; `address().port` tells where, when the port was 0. */
export async function startRefreshHook(input: HookInput): Promise<Server> {
  const { port, dataset, refresh, logger, onAnswer } = input;
  const gate = new RefreshGate(async (key) => {
    const [namespace = "", name = ""] = key.split("/");
    const found = dataset(namespace, name);
    if (found) await refresh(found);
  });
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request, { dataset, gate }).then(
      (told) => send(response, told),
      (error: unknown) => {
        logger.warn({ err: error }, "a refresh could not be asked for");
        send(response, { code: 503, message: "the API server could not be told: try again" });
      },
    );
  });
  function send(response: ServerResponse, { code, message }: Answer): void {
    onAnswer(code);
    // What is left of the body is not read.
    const headers = { "content-type": "text/plain", ...(code === 202 ? {} : { connection: "close" }) };
    response.writeHead(code, headers).end(`${message}\n`);
  }
  server.maxConnections = 512;
  server.on("close", () => gate.close());
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, resolve));
  return server;
}

interface Answer {
  code: number;
  message: string;
}

async function answer(
  request: IncomingMessage,
  { dataset, gate }: { dataset: HookInput["dataset"]; gate: RefreshGate },
): Promise<Answer> {
  const path = request.url?.split("?")[0] ?? "";
  const [, namespace, name] = /^\/refresh\/([a-z0-9.-]{1,253})\/([a-z0-9.-]{1,253})$/.exec(path) ?? [];
  if (!namespace || !name) return { code: 404, message: "not found: there is POST /refresh/<namespace>/<name>" };
  if (request.method !== "POST") return { code: 405, message: "only POST asks for a refresh" };
  if (!isAllowed(request.headers.authorization, dataset(namespace, name))) {
    return { code: 403, message: "no Dataset of this name has a webhook with this token" };
  }
  if (!(await isHeardOut(request))) return { code: 413, message: "the body may have 1 MiB" };
  await gate.ask(`${namespace}/${name}`);
  return { code: 202, message: "accepted" };
}

/** In the same time, whether there is no such Dataset, no webhook, or another token. */
function isAllowed(header: string | undefined, dataset: Dataset | undefined): boolean {
  const token = /^Bearer (\S{1,4096})$/i.exec(header ?? "")?.[1] ?? "";
  const webhook = dataset?.spec.webhook;
  const expected = webhook ? Buffer.from(webhook.tokenSha256, "hex") : nobody;
  return (
    timingSafeEqual(createHash("sha256").update(token).digest(), expected) && webhook !== undefined && token !== ""
  );
}

/** Reads the body and forgets it; false when it is too large. */
async function isHeardOut(request: IncomingMessage): Promise<boolean> {
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > bodyBytes) return false;
  }
  return true;
}
