/** Routes of artifacts: byte streams by digest. */
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { digest, objectName } from "../api.ts";
import { HttpError, notFound } from "../errors.ts";
import { bytesOf } from "../read-file.ts";
import type { Services } from "../server.ts";

const path = "/artifacts/:digest";
const inNamespace = z.object({ namespace: objectName });
const parameters = inNamespace.extend({ digest });
const bodyLimit = Number.MAX_SAFE_INTEGER;

export function addArtifactRoutes(app: FastifyInstance, { blobs }: Services): void {
  // Whatever the bytes are called, they are only passed on.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));

  // For a sender that has not read the bytes yet: what their digest is comes with the answer.
  app.post("/artifacts", { bodyLimit }, async (request, reply) => {
    const { namespace } = inNamespace.parse(request.params);
    return reply.status(201).send(await blobs.put(namespace, uploadOf(request)));
  });

  app.put(path, { bodyLimit }, async (request, reply) => {
    const { namespace, digest } = parameters.parse(request.params);
    // First, so that it is not collected while its file is looked at.
    await blobs.touch(namespace, digest);
    const known = await blobs.size(namespace, digest);
    if (known !== undefined && (await blobs.isIntact(namespace, digest))) {
      (request.body as Readable | undefined)?.resume();
      return reply.status(200).send({ digest, size: known });
    }
    return reply.status(201).send(await blobs.put(namespace, { ...uploadOf(request), digest }));
  });

  app.route({
    method: ["GET", "HEAD"],
    url: path,
    exposeHeadRoute: false,
    handler: (request, reply) => send(request, reply),
  });

  async function send(request: FastifyRequest, reply: FastifyReply) {
    const { namespace, digest } = parameters.parse(request.params);
    const size = await blobs.size(namespace, digest);
    if (size === undefined) throw notFound(`artifact ${digest}`);
    if (request.method === "HEAD") await blobs.touch(namespace, digest);
    void reply.headers({ "content-type": "application/octet-stream", etag: `"${digest}"`, "accept-ranges": "bytes" });
    const range = readRange(request.headers.range, size);
    if (range) void reply.status(206).header("content-range", `bytes ${range.start}-${range.end}/${size}`);
    void reply.header("content-length", range ? range.end - range.start + 1 : size);
    if (request.method === "HEAD") return reply.send();
    return range ? reply.send(blobs.read(namespace, digest, range)) : sendFile(reply, blobs.path(namespace, digest));
  }
}

/**
 * Each piece of the file has gone before its memory is used for another: with new memory for each, as a stream takes it, half of
 * the time went to find it and to collect it.
 */
async function sendFile(reply: FastifyReply, path: string): Promise<void> {
  const pieces = (await bytesOf(path)).pieces[Symbol.asyncIterator]();
  let next = await pieces.next();
  const { raw } = reply.hijack();
  // A file that is shorter than it was must not look like a slow one.
  raw.strictContentLength = true;
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  try {
    for (; !next.done; next = await pieces.next()) await write(raw, next.value);
    raw.end();
  } catch {
    // Who receives it sees that it is cut short.
    raw.destroy();
  } finally {
    await pieces.return?.();
  }
}

function write(raw: ServerResponse, bytes: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  raw.once("close", reject);
  raw.write(bytes, (error) => {
    raw.off("close", reject);
    if (error) reject(error);
    else resolve();
  });
  return promise;
}

function uploadOf({ headers, body, raw }: FastifyRequest) {
  const length = headers["content-length"];
  return { body: (body as Readable | undefined) ?? raw, ...(length ? { length: Number(length) } : {}) };
}

/** One range of bytes, as a download that goes on asks for it. */
function readRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === undefined) return undefined;
  const start = Number(from);
  const end = to ? Math.min(Number(to), size - 1) : size - 1;
  if (start > end) throw new HttpError(416, "RangeNotSatisfiable", `the artifact has ${size} bytes`);
  return { start, end };
}
