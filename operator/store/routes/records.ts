/** Routes of metadata: JSON in, JSON out. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import {
  aliasInput,
  datasetVersionInput,
  decision,
  digest,
  evaluationInput,
  modelImport,
  objectName,
  progress as progressInput,
  retention,
  runResult,
  versionUse,
} from "../api.ts";
import { type Caller, requireOperator } from "../auth.ts";
import { notFound } from "../errors.ts";
import type { Services } from "../server.ts";

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller;
  }
}

const versionId = z.string().regex(/^([1-9][0-9]{0,9}|sha256:[0-9a-f]{64})$/, "must be a version's number or digest");
const parameters = z.object({
  namespace: objectName,
  name: objectName.optional(),
  version: versionId.optional(),
  digest: digest.optional(),
  alias: objectName.optional(),
});
/** One name or several, of the query. */
const wanted = z.object({
  name: z.union([objectName.transform((name) => [name]), z.array(objectName).max(100)]),
});

/** The path's parameters; the routes below say which are there. */
function read(request: { params: unknown }) {
  const { namespace, name = "", version = "", digest: id = "", alias = "" } = parameters.parse(request.params);
  return { namespace, name, version, digest: id, alias };
}

export function addRecordRoutes(app: FastifyInstance, services: Services): void {
  addDatasetRoutes(app, services);
  addRunRoutes(app, services);
  addModelRoutes(app, services);
}

function addDatasetRoutes(app: FastifyInstance, { datasets, progress }: Services): void {
  app.get("/datasets/:name", async (request) => {
    const { namespace, name } = read(request);
    const told = progress.get(namespace, name);
    return { ...(await datasets.read(namespace, name)), ...(told ? { progress: told } : {}) };
  });
  app.put("/datasets/:name/progress", async (request, reply) => {
    const { namespace, name } = read(request);
    progress.put(namespace, name, progressInput.parse(request.body));
    return reply.status(204).send();
  });
  app.put("/datasets/:name/retain", async (request, reply) => {
    const { namespace, name } = read(request);
    await datasets.retain(namespace, name, retention.parse(request.body).retain);
    return reply.status(204).send();
  });
  app.get("/datasets/:name/versions/:version", async (request) => {
    const { namespace, name, version } = read(request);
    const found = await datasets.detail(namespace, name, version);
    if (!found) throw notFound(`version ${version} of dataset ${name}`);
    return found;
  });
  app.put("/datasets/:name/versions/:version/use", async (request, reply) => {
    const { namespace, name, version } = read(request);
    versionUse.parse(request.body);
    await datasets.keepForRun(namespace, name, version);
    return reply.status(204).send();
  });
  app.post("/datasets/:name/versions", async (request, reply) => {
    const { namespace, name } = read(request);
    const { version, created } = await datasets.register(namespace, name, datasetVersionInput.parse(request.body));
    progress.clear(namespace, name);
    return reply.status(created ? 201 : 200).send(version);
  });
}

function addRunRoutes(app: FastifyInstance, { runs }: Services): void {
  app.get("/trainingjobs", async (request) => {
    const { namespace } = read(request);
    const names = wanted.parse(request.query).name;
    const answers = names.map(async (name) => [name, { runs: await runs.read(namespace, name) }] as const);
    return Object.fromEntries(await Promise.all(answers));
  });
  app.get("/trainingjobs/:name", async (request) => {
    const { namespace, name } = read(request);
    return { runs: await runs.read(namespace, name) };
  });
  app.put("/trainingjobs/:name/runs/:digest", async (request, reply) => {
    const { namespace, name, digest } = read(request);
    const { run, created } = await runs.put({ namespace, job: name, digest }, runResult.parse(request.body));
    return reply.status(created ? 201 : 200).send(run);
  });
}

function addModelRoutes(app: FastifyInstance, { models }: Services): void {
  app.get("/models/:name", async (request) => {
    const { namespace, name } = read(request);
    return models.read(namespace, name);
  });
  app.get("/models/:name/versions/:version", async (request) => {
    const { namespace, name, version } = read(request);
    const found = await models.detail(namespace, name, version);
    if (!found) throw notFound(`version ${version} of model ${name}`);
    return found;
  });
  app.post("/models/:name/versions", async (request, reply) => {
    const { namespace, name } = read(request);
    const input = { ...modelImport.parse(request.body), metrics: {} };
    const { version, created } = await models.import(namespace, name, input);
    return reply.status(created ? 201 : 200).send(version);
  });
  app.put("/models/:name/versions/:version/evaluations/:digest", async (request, reply) => {
    const { digest, ...version } = read(request);
    const { evaluation, created } = await models.putEvaluation(version, digest, evaluationInput.parse(request.body));
    return reply.status(created ? 201 : 200).send(evaluation);
  });
  app.put("/models/:name/versions/:version/decision", async (request) => {
    requireOperator(request.caller);
    const body = decision.parse(request.body);
    await models.putDecision(read(request), body);
    return body;
  });
  app.put("/models/:name/aliases/:alias", async (request) => {
    requireOperator(request.caller);
    const body = aliasInput.parse(request.body);
    await models.putAlias(read(request), body.version);
    return body;
  });
}
