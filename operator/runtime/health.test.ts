import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startHealthServer } from "./health.ts";
import { createMetrics } from "./metrics.ts";

let reason: string | undefined;
let server: Awaited<ReturnType<typeof startHealthServer>>;

beforeEach(async () => {
  reason = undefined;
  const registry = new Registry();
  createMetrics(registry).reconciles.inc({ controller: "model", result: "settled" });
  server = await startHealthServer({ port: 0, registry, notReady: () => reason });
});
afterEach(() => {
  server.close();
});

async function get(path: string): Promise<[number, string]> {
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  return [answer.status, await answer.text()];
}

test("/healthz lives, /readyz says what is missing, /metrics counts, and others are told what there is", async () => {
  expect(await get("/healthz")).toEqual([200, "ok\n"]);
  expect(await get("/readyz?verbose")).toEqual([200, "ok\n"]);
  reason = "still listing pods";
  expect(await get("/readyz")).toEqual([503, "still listing pods\n"]);
  expect((await get("/metrics"))[1]).toContain('lemnis_reconcile_total{controller="model",result="settled"} 1');
  expect((await get("/"))[0]).toBe(404);
});

test("a port that is taken is an error", async () => {
  const { port } = server.address() as AddressInfo;
  await expect(startHealthServer({ port, registry: new Registry(), notReady: () => undefined })).rejects.toThrow(
    /EADDRINUSE/,
  );
});
