import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { KubeClient } from "../../operator/kube/client.ts";
import { jobs } from "../../operator/kube/resources.ts";
import { makeCertificate } from "../servers/certificate.ts";
import { startWeb, type WebServer } from "../servers/web.ts";
import { FaultProxy } from "./proxy.ts";

let folder: string;
let server: WebServer;
let proxy: FaultProxy;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lemnis-proxy-"));
  const certificate = await makeCertificate(join(folder, "pki"));
  server = await startWeb(certificate);
  server.answer = (_, response) => response.writeHead(200).end('{"metadata":{"resourceVersion":"7"}}');
  proxy = await FaultProxy.start({ url: server.url, caFile: join(folder, "pki/ca.crt"), dir: folder, token: "t" }, "p");
});
afterAll(async () => {
  await proxy.stop();
  server.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  server.requests.length = 0;
  proxy.fault = { onRequest: () => sleep(300, "pass" as const) };
});

/** Gives up before the proxy lets anything through. */
async function ask(work: (client: KubeClient) => Promise<unknown>): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(proxy.kubeconfig);
  const client = new KubeClient(config, { deadlineMs: 100 });
  await expect(work(client)).rejects.toThrow();
  await client.close();
}

test("a write that is held back comes to the API server though its sender has gone, and is told", async () => {
  await ask((client) => client.delete(jobs, { namespace: "a", name: "late", uid: "one" }));
  expect(proxy.underWay).toBe(1);
  await vi.waitFor(() => expect(proxy.underWay).toBe(0), { timeout: 20_000 });
  expect(server.requests).toEqual([expect.stringMatching(/^DELETE .*\/late/)]);
  expect(proxy.writes).toMatchObject([{ verb: "delete", name: "late", status: 200, isLate: true }]);
});

test("a read that is held back goes no further when nobody waits for it", async () => {
  await ask((client) => client.get(jobs, "a", "late"));
  await sleep(500);
  expect(server.requests).toEqual([]);
});
