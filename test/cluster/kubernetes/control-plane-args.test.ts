import { expect, test } from "vitest";
import { apiServerArgs, etcdArgs } from "./control-plane-args.ts";
import type { Pki } from "./pki.ts";

const base = { etcdUrl: "http://127.0.0.1:1", address: "127.0.0.1", port: 2, pki: {} as Pki };

test("etcd, which asks for no credentials, listens on loopback only", () => {
  const urls = etcdArgs({ dataDir: "/d", port: 1, peerPort: 2 }).filter((arg) => arg.includes("://"));
  expect(urls.length).toBeGreaterThan(3);
  for (const url of urls) expect(url).toContain("http://127.0.0.1:");
});

test("an API server that no pod reaches does not publish an endpoint", () => {
  expect(apiServerArgs({ ...base, serviceAccountAdmission: true })).toContain("--endpoint-reconciler-type=none");
  const reachable = apiServerArgs({ ...base, serviceAccountAdmission: true, advertise: "10.84.0.1" });
  expect(reachable).toContain("--advertise-address=10.84.0.1");
  expect(reachable.join()).not.toContain("endpoint-reconciler-type");
});

test("pods need a service account only where something makes one", () => {
  const refusal = "--disable-admission-plugins=ServiceAccount";
  expect(apiServerArgs({ ...base, serviceAccountAdmission: false })).toContain(refusal);
  expect(apiServerArgs({ ...base, serviceAccountAdmission: true })).not.toContain(refusal);
});
