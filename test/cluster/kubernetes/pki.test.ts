import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ensurePki, tokenLine } from "./pki.ts";

const folder = mkdtempSync(join(tmpdir(), "lemnis-pki-"));
afterAll(() => rmSync(folder, { recursive: true }));
const certificate = (file: string) => new X509Certificate(readFileSync(file));

test("the API server's certificate is signed by the CA and names every address", async () => {
  const pki = await ensurePki(folder, ["10.86.0.1"]);
  const serving = certificate(pki.servingCertFile);
  expect(serving.verify(certificate(pki.caFile).publicKey)).toBe(true);
  expect(serving.checkIP("10.86.0.1")).toBe("10.86.0.1");
  expect(serving.checkHost("kubernetes.default.svc")).toBe("kubernetes.default.svc");
  expect(certificate(pki.caFile).ca).toBe(true);
  expect(serving.ca).toBe(false);
});

test("keys and tokens are the owner's alone, and a second look changes nothing", async () => {
  const first = await ensurePki(folder, ["10.86.0.1"]);
  const before = readFileSync(first.servingCertFile, "utf8");
  const second = await ensurePki(folder, ["10.86.0.1"]);
  expect(second).toEqual(first);
  expect(readFileSync(second.servingCertFile, "utf8")).toBe(before);
  for (const file of [first.caKeyFile, first.servingKeyFile, first.serviceAccountKeyFile, first.tokenFile]) {
    expect(statSync(file).mode & 0o077, file).toBe(0);
  }
});

test("a token line quotes its groups, as they are one field", () => {
  expect(tokenLine("t", "u", ["a", "b"])).toBe('t,u,u,"a,b"\n');
});
