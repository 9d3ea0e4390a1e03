/** The webhook on a real API server: who may ask for a look, and that it is one look. */
import { createHash, randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../../operator/api/v1alpha1/dataset.ts";
import { datasets } from "../../../operator/controllers/resources.ts";
import { KubeClient } from "../../../operator/kube/client.ts";
import { refreshDataset } from "../../../operator/refresh.ts";
import { startRefreshHook } from "../../../operator/refresh-hook.ts";
import { type Manifest, ready } from "./wine.ts";
import { resourceOf, startWorld, type World } from "./world.ts";

const namespace = "hooked";
const token = randomBytes(32).toString("hex");
const tokenSha256 = createHash("sha256").update(token).digest("hex");
const made = (name: string, spec: object = {}): Manifest => ({
  kind: "Dataset",
  metadata: { name },
  spec: { source: { uri: `http://host/${name}.csv` }, ...spec },
});

let world: World;
let client: KubeClient;
let hook: Server;
let url: string;
const seen = new Map<string, Dataset>();
const answers: number[] = [];

beforeAll(async () => {
  world = await startWorld();
  await world.startOperator();
  await world.makeNamespace(namespace);
  await world.apply(namespace, made("open"), made("hooked", { webhook: { tokenSha256 } }));
  for (const name of ["open", "hooked"]) {
    await world.until(namespace, "Dataset", name, ready);
    seen.set(name, await world.client.get<Dataset>(datasets, namespace, name));
  }
  const config = new KubeConfig();
  config.loadFromFile(world.plane.kubeconfig);
  client = new KubeClient(config);
  hook = await startRefreshHook({
    ...{ port: 0, logger: pino({ level: "silent" }), onAnswer: (code) => answers.push(code) },
    dataset: (of, name) => (of === namespace ? seen.get(name) : undefined),
    refresh: (dataset) => refreshDataset(client, dataset, new Date()),
  });
  url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}`;
});
afterAll(async () => {
  hook?.close();
  await client?.close();
  await world?.stop();
});

async function post(path: string, { bearer = token, body = "", method = "POST" } = {}) {
  const headers = bearer ? { authorization: `Bearer ${bearer}` } : {};
  const answer = await fetch(`${url}/${path}`, { method, headers, ...(method === "POST" ? { body } : {}) });
  return { status: answer.status, text: await answer.text() };
}
const annotationOf = async (name: string) =>
  (await world.get(namespace, "Dataset", name)).metadata.annotations?.["lemnis.dev/refresh"];
const looks = async () => (await world.list(namespace, "Job")).map(({ metadata }) => metadata.name);

describe("a call", () => {
  test("with the token makes one look, however often it comes at once", async () => {
    const before = await looks();
    const called = await Promise.all(Array.from({ length: 20 }, () => post(`refresh/${namespace}/hooked`)));
    expect(new Set(called.map(({ status }) => status))).toEqual(new Set([202]));
    const dataset = await world.until(
      namespace,
      "Dataset",
      "hooked",
      (object) => ready(object) && object.status.look !== seen.get("hooked")?.status?.look,
    );
    expect(dataset.metadata.annotations?.["lemnis.dev/refresh"]).toMatch(/^20/);
    expect((await looks()).filter((name) => !before.includes(name))).toHaveLength(1);
    expect(dataset.spec).toMatchObject({ webhook: { tokenSha256 } });
  });

  test("may bring a notification of up to 1 MiB, and no more", async () => {
    expect((await post(`refresh/${namespace}/hooked`, { body: "x".repeat(2 ** 20) })).status).toBe(202);
    expect((await post(`refresh/${namespace}/hooked`, { body: "x".repeat(2 ** 20 + 1) })).status).toBe(413);
  });

  test("without the right is refused, and does not learn what is there", async () => {
    const refused = await Promise.all([
      post(`refresh/${namespace}/hooked`, { bearer: "wrong" }),
      post(`refresh/${namespace}/hooked`, { bearer: "" }),
      post(`refresh/${namespace}/hooked`, { bearer: tokenSha256 }),
      post(`refresh/${namespace}/open`),
      post(`refresh/${namespace}/absent`),
      post("refresh/elsewhere/hooked"),
    ]);
    expect(new Set(refused.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(refused[0]).toMatchObject({ status: 403, text: expect.stringContaining("no Dataset of this name") });
    expect(await annotationOf("open")).toBeUndefined();
  });

  test("of another path or method is told what there is", async () => {
    for (const path of ["", "refresh", "refresh/a", "refresh/a/b/c", "refresh/A/b", "refresh/a/..%2fb"])
      expect((await post(path)).status).toBe(404);
    expect((await post(`refresh/${namespace}/hooked`, { method: "GET" })).status).toBe(405);
    expect(answers).toEqual(expect.arrayContaining([202, 403, 404, 405, 413]));
  });
});

test("an object that was deleted meanwhile is not made again", async () => {
  const gone = seen.get("hooked") as Dataset;
  const { uid = "" } = gone.metadata;
  await world.client.delete(resourceOf("Dataset"), { namespace, name: "hooked", uid });
  await refreshDataset(client, gone, new Date());
  await expect(world.get(namespace, "Dataset", "hooked")).rejects.toMatchObject({ status: 404 });
});

test("what is no HTTP, and a caller that hangs up, do no harm", async () => {
  const { port } = hook.address() as AddressInfo;
  for (const bytes of [
    "\0\0\0",
    `POST /refresh/${namespace}/open HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf`,
  ]) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () =>
        socket.write(bytes, () => setTimeout(() => socket.destroy(), 50)),
      );
      socket.on("close", () => resolve()).on("error", () => undefined);
    });
  }
  expect((await post("refresh/a/b")).status).toBe(403);
});
