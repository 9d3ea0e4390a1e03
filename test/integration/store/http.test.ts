/** The store over HTTP: who may do what, what it refuses and how it says so. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decision } from "../../builders/records.ts";
import { datasetInput, fileOf, runResult, sha256 } from "../../builders/store.ts";
import { operator, startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const base = "/v1/namespaces/team-a";
const digest = sha256("nothing");

/** Every route, and whether it is the operator's alone. */
const routes: [string, string, boolean][] = [
  ["GET", `${base}/datasets/wine`, false],
  ["GET", `${base}/datasets/wine/versions/1`, false],
  ["POST", `${base}/datasets/wine/versions`, false],
  ["PUT", `${base}/datasets/wine/retain`, false],
  ["GET", `${base}/trainingjobs/wine`, false],
  ["GET", `${base}/trainingjobs?name=wine`, false],
  ["PUT", `${base}/trainingjobs/wine/runs/${digest}`, false],
  ["GET", `${base}/models/wine`, false],
  ["GET", `${base}/models/wine/versions/1`, false],
  ["POST", `${base}/models/wine/versions`, false],
  ["PUT", `${base}/models/wine/versions/1/evaluations/${digest}`, false],
  ["PUT", `${base}/models/wine/versions/1/decision`, true],
  ["PUT", `${base}/models/wine/aliases/champion`, true],
  ["POST", `${base}/artifacts`, false],
  ["PUT", `${base}/artifacts/${digest}`, false],
  ["GET", `${base}/artifacts/${digest}`, false],
  ["HEAD", `${base}/artifacts/${digest}`, false],
];

describe.each(routes)("%s %s", (method, path, operatorOnly) => {
  const send = (account: string | undefined) =>
    world.request(account, method, path, method.startsWith("P") ? {} : undefined);

  test("is refused without a token, with a wrong one, and to another namespace", async () => {
    expect((await send(undefined)).status).toBe(401);
    expect((await send("garbage")).status).toBe(401);
    expect((await send("team-b:default")).status).toBe(403);
  });

  test("is let in for those who may", async () => {
    const own = await send("team-a:default");
    if (operatorOnly) expect(own.status).toBe(403);
    else expect([401, 403]).not.toContain(own.status);
    expect([401, 403]).not.toContain((await send(operator)).status);
  });
});

describe("what is wrong with a request is named", () => {
  test.each<[string, string, string, unknown, number, RegExp]>([
    ["a missing field", "POST", "datasets/wine/versions", {}, 422, /digest: .*; format: /],
    ["an unknown field", "PUT", "models/wine/aliases/champion", { version: 1, extra: 1 }, 422, /extra/],
    ["a number that is none", "PUT", "models/wine/aliases/champion", { version: "1" }, 422, /version: .*number/],
    [
      "a path that leaves its folder",
      "POST",
      "datasets/wine/versions",
      datasetInput([fileOf("x", "../x")]),
      422,
      /files\.0\.path: must be a relative path/,
    ],
    ["no JSON", "POST", "models/wine/versions", "{", 400, /JSON/],
    [
      "a version that is not there",
      "GET",
      "models/wine/versions/7",
      undefined,
      404,
      /version 7 of model wine does not exist/,
    ],
    [
      "a version that is none",
      "GET",
      "models/wine/versions/latest",
      undefined,
      422,
      /version: must be a version's number or digest/,
    ],
    [
      "an artifact that is not there",
      "GET",
      `artifacts/${digest}`,
      undefined,
      404,
      /artifact sha256:.* does not exist/,
    ],
    ["a digest that is none", "GET", "artifacts/abc", undefined, 422, /digest/],
    [
      "bytes that were not sent",
      "POST",
      "datasets/wine/versions",
      datasetInput([fileOf("x")]),
      409,
      /PUT artifacts\/sha256:/,
    ],
    ["a route that is not there", "GET", "nothing", undefined, 404, /no route GET/],
  ])("%s", async (_, method, path, body, status, says) => {
    const answer = await world.request(operator, method, `${base}/${path}`, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error?.message).toMatch(says);
  });

  test("a body that is too large", async () => {
    const answer = await world.request(operator, "POST", `${base}/models/wine/versions`, {
      text: "x".repeat(17 * 2 ** 20),
    });
    expect(answer.status).toBe(413);
  });

  test("a name that is none, before the token is looked at", async () => {
    expect((await world.request(operator, "GET", "/v1/namespaces/..%2fteam-a/models/wine")).status).toBe(422);
  });
});

test("the way of a model through the store, as agents and the operator walk it", async () => {
  const agent = world.clientOf("team-b:default");
  const { registered, trained } = await walk(agent);
  expect(registered).toMatchObject({ version: 1, rows: 3 });
  expect(trained.model).toMatchObject({ name: "wine", version: 1 });
  const boss = world.clientOf(operator);
  const [known, unknown] = [boss.trainingJob("team-b", "wine"), boss.trainingJob("team-b", "beer")];
  expect((await known).runs).toMatchObject([{ phase: "Succeeded", model: { version: 1 } }]);
  expect(await unknown).toEqual({ runs: [] });
  const path = "namespaces/team-b/models/wine";
  await boss.write({ method: "PUT", path: `${path}/versions/1/decision`, body: decision("Passed", digest) });
  await boss.write({ method: "PUT", path: `${path}/aliases/champion`, body: { version: 1 } });
  expect(await boss.model("team-b", "wine")).toMatchObject({
    aliases: { champion: 1 },
    versions: [{ version: 1, decision: { verdict: "Passed" }, evaluations: [{ metrics: { accuracy: 0.9 } }] }],
  });
  await expect(
    agent.write({ method: "PUT", path: `${path}/aliases/champion`, body: { version: 1 } }),
  ).rejects.toMatchObject({ status: 403 });
});

test("a version can be kept for a run that waits, by its namespace, and one that is not there is no error", async () => {
  const agent = world.clientOf("team-c:default");
  for (const id of ["1", digest]) {
    const path = `namespaces/team-c/datasets/absent/versions/${id}/use`;
    await agent.write({ method: "PUT", path, body: {} });
    await expect(world.clientOf("team-d:default").write({ method: "PUT", path, body: {} })).rejects.toMatchObject({
      status: 403,
    });
  }
});

test("how far a reading has come is told by its pod, and forgotten when it has made a version", async () => {
  const agent = world.clientOf("team-c:default");
  const path = "namespaces/team-c/datasets/wine/progress";
  const body = { phase: "Reading", bytes: 10, totalBytes: 30, rows: 2 };
  await agent.write({ method: "PUT", path, body });
  expect(await agent.dataset("team-c", "wine")).toEqual({ versions: [], progress: body });
  const stranger = world.clientOf("team-d:default");
  await expect(stranger.write({ method: "PUT", path, body })).rejects.toMatchObject({ status: 403 });
  const origins = [{ path: "all/data.csv", uri: "s3://bucket/data.csv", version: "1" }];
  await agent.registerDatasetVersion("team-c", "wine", datasetInput([fileOf("pinned")], { origins }));
  expect(await agent.dataset("team-c", "wine")).toMatchObject({ current: 1, versions: [{ version: 1 }] });
  expect(await agent.dataset("team-c", "wine")).not.toHaveProperty("progress");
});

async function walk(agent: ReturnType<World["clientOf"]>) {
  const folder = await mkdtemp(`${world.folder}/client-`);
  await writeFile(`${folder}/data.csv`, "data");
  await writeFile(`${folder}/model`, "model");
  const [data, model] = [fileOf("data"), fileOf("model", "model.joblib")];
  await agent.uploadFile("team-b", `${folder}/data.csv`, data);
  await agent.uploadFile("team-b", `${folder}/model`, model);
  const registered = await agent.registerDatasetVersion("team-b", "wine", datasetInput([data]));
  const inputs = [{ name: "train", dataset: "wine", version: 1, digest: registered.digest }];
  const result = runResult({ inputs, model: { name: "wine", format: "sklearn", files: [model] } });
  const trained = await agent.putRun("team-b", { trainingJob: "wine", digest: sha256("run") }, result);
  const evaluation = { dataset: "wine", datasetVersion: 1, datasetDigest: registered.digest, split: "test", rows: 3 };
  await agent.putEvaluation(
    "team-b",
    { model: "wine", version: 1, digest: sha256("evaluation") },
    { ...evaluation, metrics: { accuracy: 0.9 } },
  );
  await agent.download("team-b", model.digest, `${folder}/downloaded`);
  expect(await readFile(`${folder}/downloaded`, "utf8")).toBe("model");
  return { registered, trained };
}

test("probes and metrics are open, tell of what was asked, and no log has a token", async () => {
  expect((await world.request(undefined, "GET", "/healthz")).status).toBe(200);
  expect((await world.request(undefined, "GET", "/readyz")).status).toBe(200);
  const metrics = await (await fetch(`${world.url}/metrics`)).text();
  expect(metrics).toMatch(
    /lemnis_store_request_duration_seconds_count\{method="GET",route="[^"]*models\/:name",code="403"\} 1/,
  );
  // The two bytes that were posted above are among them.
  expect(metrics).toContain("lemnis_store_artifact_bytes 11");
  expect(world.log()).not.toMatch(/garbage|team-b:default|Bearer/);
});
