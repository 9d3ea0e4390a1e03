import { randomBytes } from "node:crypto";
import { rmSync, truncateSync } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { Readable } from "node:stream";
import { type FastifyInstance, fastify } from "fastify";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fileOf, openStore, sha256 } from "../../../test/builders/store.ts";
import type { Services } from "../server.ts";
import { addArtifactRoutes } from "./artifacts.ts";

let store: Awaited<ReturnType<typeof openStore>>;
beforeEach(async () => {
  store = await openStore();
});
afterEach(() => store.close());

test("an artifact that is there already, and is told so, is not collected in the same moment", async () => {
  const { digest } = fileOf("content");
  await store.upload("a", "content");
  await store.database.run("UPDATE blobs SET created_at = 0");
  const { isIntact } = store.blobs;
  vi.spyOn(store.blobs, "isIntact").mockImplementation(async (...blob) => {
    const found = await isIntact.apply(store.blobs, blob);
    await store.blobs.collect(3600_000);
    return found;
  });
  const app = fastify();
  await app.register(async (scope) => addArtifactRoutes(scope, { blobs: store.blobs } as Services), {
    prefix: "/:namespace",
  });
  const { statusCode } = await app.inject({ method: "PUT", url: `/a/artifacts/${digest}`, payload: "content" });
  await app.close();
  expect(statusCode).toBe(200);
  expect(await isIntact.call(store.blobs, "a", digest)).toBe(true);
});

describe("a large artifact", () => {
  const bytes = randomBytes(20 << 20);
  const digest = sha256(bytes);
  let app: FastifyInstance;
  let url: string;
  beforeEach(async () => {
    await store.blobs.put("a", { body: Readable.from([Buffer.from(bytes)]), length: bytes.length, digest });
    app = fastify();
    await app.register(async (scope) => addArtifactRoutes(scope, { blobs: store.blobs } as Services), {
      prefix: "/:namespace",
    });
    url = `${await app.listen({ host: "127.0.0.1", port: 0 })}/a/artifacts/${digest}`;
  });
  afterEach(() => app.close());

  const opened = async () => {
    const targets = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
    return (await Promise.all(targets)).filter((target) => target === store.blobs.path("a", digest)).length;
  };

  test("comes whole, to several at once", async () => {
    const answers = await Promise.all([1, 2, 3].map(() => fetch(url)));
    for (const answer of answers) {
      expect(answer.headers.get("content-length")).toBe(`${bytes.length}`);
      expect(answer.headers.get("etag")).toBe(`"${digest}"`);
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    }
    expect(await opened()).toBe(0);
  });

  test("is let go of when its receiver goes away", async () => {
    const stop = new AbortController();
    const answer = await fetch(url, { signal: stop.signal });
    await answer.body?.getReader().read();
    expect(await opened()).toBe(1);
    stop.abort();
    await expect.poll(opened).toBe(0);
  });

  test("that is damaged on the disk ends early, and is not taken for whole", async () => {
    truncateSync(store.blobs.path("a", digest), 5 << 20);
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });

  test("that has gone from the disk is an error, and no empty answer", async () => {
    rmSync(store.blobs.path("a", digest));
    expect((await fetch(url)).status).toBe(500);
  });
});
