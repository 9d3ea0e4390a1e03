import { fastify } from "fastify";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fileOf, openStore } from "../../../test/builders/store.ts";
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
