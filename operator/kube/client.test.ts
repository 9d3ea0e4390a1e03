import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientOptions, KubeClient } from "./client.ts";
import { ConnectionError, NotLeaderError } from "./errors.ts";
import { configMaps, customResourceDefinitions } from "./resources.ts";
import type { KubeObject } from "./types.ts";

type Answer = (request: IncomingMessage & { text: string }, response: ServerResponse) => void;

const object: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "wine", namespace: "a" } };
const json =
  (status: number, body: object, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(status, headers).end(JSON.stringify(body));

let server: Server;
let answer: Answer;
let asked: { line: string; headers: IncomingMessage["headers"]; body: unknown }[];
let sockets: number;
let clients: KubeClient[];

beforeEach(async () => {
  [asked, sockets, clients] = [[], 0, []];
  answer = json(200, object);
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : undefined;
    asked.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    answer(Object.assign(request, { text }), response);
  });
  server.on("connection", () => sockets++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  server.closeAllConnections();
  server.close();
});

function connect(options: ClientOptions = {}): KubeClient {
  const config = new KubeConfig();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  config.loadFromClusterAndUser({ name: "c", server: url, skipTLSVerify: true }, { name: "u", token: "secret" });
  const client = new KubeClient(config, options);
  clients.push(client);
  return client;
}

describe("a request", () => {
  test("goes to the path of its kind, with the token, over connections that are kept", async () => {
    const client = connect();
    for (let index = 0; index < 20; index++) await client.get(configMaps, "a", "wine");
    await client.list(customResourceDefinitions, { limit: "5", continue: undefined }, { metadataOnly: true });
    expect(asked[0]).toMatchObject({
      line: "GET /api/v1/namespaces/a/configmaps/wine",
      headers: { authorization: "Bearer secret" },
    });
    expect(asked[20]?.line).toBe("GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions?limit=5");
    expect(asked[20]?.headers.accept).toContain("as=PartialObjectMetadataList");
    expect(sockets).toBeLessThan(4);
  });

  test("for an empty list of metadata gives a list", async () => {
    answer = json(200, { metadata: { resourceVersion: "1" }, items: null });
    expect((await connect().list(configMaps, {}, { metadataOnly: true })).items).toEqual([]);
  });

  test("to apply says whose fields they are", async () => {
    const client = connect();
    await client.apply(configMaps, object);
    await client.apply(configMaps, object, { subresource: "status", manager: "other" });
    expect(asked.map(({ line }) => line)).toEqual([
      "PATCH /api/v1/namespaces/a/configmaps/wine?fieldManager=lemnis&force=true",
      "PATCH /api/v1/namespaces/a/configmaps/wine/status?fieldManager=other&force=true",
    ]);
    expect(asked[0]?.headers["content-type"]).toBe("application/apply-patch+yaml");
    expect(asked[0]?.body).toEqual(object);
  });

  test("to delete names the very object, and finds it well that this one is gone", async () => {
    const client = connect();
    for (const status of [200, 404, 409]) {
      answer = json(status, {});
      await client.delete(configMaps, { namespace: "a", name: "wine", uid: "u" });
    }
    expect(asked[0]?.body).toMatchObject({ preconditions: { uid: "u" }, propagationPolicy: "Background" });
    answer = json(409, { reason: "Conflict" });
    await expect(client.delete(configMaps, { name: "wine", uid: "u" }, "5")).rejects.toMatchObject({ status: 409 });
    expect(asked.at(-1)?.body).toMatchObject({ preconditions: { uid: "u", resourceVersion: "5" } });
    answer = json(403, { reason: "Forbidden" });
    await expect(client.delete(configMaps, { name: "wine", uid: "u" })).rejects.toMatchObject({ status: 403 });
  });

  test("is counted with its answer, or with 0 when there was none", async () => {
    const calls: object[] = [];
    const client = connect({ onRequest: (call) => calls.push(call) });
    await client.get(configMaps, "a", "wine");
    answer = (request) => void request.socket.destroy();
    await expect(client.apply(configMaps, object)).rejects.toThrow(ConnectionError);
    expect(calls).toEqual([
      { verb: "get", resource: "configmaps", code: 200 },
      { verb: "apply", resource: "configmaps", code: 0 },
    ]);
  });
});

test("writes are guarded, reads are not", async () => {
  const client = connect({
    writeGuard: () => {
      throw new NotLeaderError();
    },
  });
  const writes = [
    async () => client.create(configMaps, object),
    async () => client.make(configMaps, object),
    async () => client.amend(configMaps, object.metadata, {}),
    async () => client.replace(configMaps, object),
    async () => client.apply(configMaps, object),
    async () => client.delete(configMaps, { name: "wine", uid: "u" }),
  ];
  for (const write of writes) await expect(write()).rejects.toThrow(NotLeaderError);
  expect(asked).toEqual([]);
  expect(await client.get(configMaps, "a", "wine")).toEqual(object);
});

describe("a server that hangs is given up at the deadline", () => {
  test.each<[string, Answer]>([
    ["before it answers", () => {}],
    ["in the middle of its answer", (_, response) => void response.writeHead(200).write('{"metadata":')],
  ])("%s", async (_, hang) => {
    answer = hang;
    await expect(connect({ deadlineMs: 50 }).get(configMaps, "a", "wine")).rejects.toThrow(ConnectionError);
  });
});

describe("a refusal", () => {
  test("carries the server's words and causes", async () => {
    const causes = [{ reason: "FieldManagerConflict", message: 'conflict with "kubectl"', field: ".spec" }];
    answer = json(409, { reason: "Conflict", message: "Apply failed", details: { causes } });
    await expect(connect().apply(configMaps, object)).rejects.toMatchObject({
      ...{ status: 409, reason: "Conflict", causes },
      message: expect.stringMatching(/^apply ConfigMap .*: 409 Apply failed$/),
    });
  });

  test("that is no Status of Kubernetes is told as it is", async () => {
    answer = (_, response) => void response.writeHead(502).end("<html>bad gateway</html>");
    await expect(connect().get(configMaps, "a", "wine")).rejects.toThrow("get ConfigMap wine: 502 <html>bad gateway");
  });

  test("for too many requests says when to come again, also in plain text as priority and fairness sends it", async () => {
    answer = (_, response) => void response.writeHead(429, { "retry-after": "7" }).end("Too many requests");
    await expect(connect().get(configMaps, "a", "wine")).rejects.toMatchObject({ status: 429, retryAfterMs: 7_000 });
  });
});

describe("a watch", () => {
  const read = async (client: KubeClient, signal: AbortSignal = new AbortController().signal) => {
    const lines: string[] = [];
    for await (const line of client.watch(configMaps, { resourceVersion: "5" }, { signal })) lines.push(line);
    return lines;
  };

  test("gives whole lines, wherever the bytes were cut, and no half line at its end", async () => {
    const bytes = Buffer.from('{"a":"größer ≥"}\n{"b":1}\n{"half":');
    answer = async (_, response) => {
      for (const byte of bytes) {
        response.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    };
    expect(await read(connect())).toEqual(['{"a":"größer ≥"}', '{"b":1}']);
    expect(asked[0]?.line).toBe("GET /api/v1/configmaps?resourceVersion=5&watch=true");
  });

  test("throws when it is refused, when it breaks, and when it is aborted", async () => {
    answer = json(410, { reason: "Expired" });
    await expect(read(connect())).rejects.toMatchObject({ status: 410 });
    answer = (request, response) => {
      response.writeHead(200).write('{"a":1}\n');
      setImmediate(() => request.socket.destroy());
    };
    await expect(read(connect())).rejects.toThrow(ConnectionError);
    const stop = new AbortController();
    answer = (_, response) => {
      response.writeHead(200).write('{"a":1}\n');
      setImmediate(() => stop.abort());
    };
    await expect(read(connect(), stop.signal)).rejects.toThrow(ConnectionError);
  });
});

test("a kubeconfig without a cluster is told so at once", () => {
  expect(() => new KubeClient(new KubeConfig())).toThrow("names no cluster");
});
