import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadKubeConfig } from "./config.ts";

let serviceAccountDir: string;
beforeAll(async () => {
  serviceAccountDir = await mkdtemp(join(tmpdir(), "lemnis-config-"));
  await writeFile(join(serviceAccountDir, "ca.crt"), "a certificate");
  await writeFile(join(serviceAccountDir, "token"), "first\n");
});
afterAll(() => rm(serviceAccountDir, { recursive: true }));

describe("in a pod", () => {
  test.each([
    ["10.0.0.1", "https://10.0.0.1:443"],
    ["fd00::1", "https://[fd00::1]:443"],
  ])("the API server is at %s", async (host, server) => {
    const config = await loadKubeConfig({ pod: { host, port: "443", serviceAccountDir } });
    expect(config.getCurrentCluster()).toEqual({ server });
  });

  test("the token is the one that is there now", async () => {
    const config = await loadKubeConfig({ pod: { host: "h", port: "443", serviceAccountDir } });
    const options = async () => {
      const read = {};
      await config.applyToHTTPSOptions(read);
      return read;
    };
    const ca = Buffer.from("a certificate");
    expect(await options()).toEqual({ ca, headers: { authorization: "Bearer first" } });
    await writeFile(join(serviceAccountDir, "token"), "second");
    expect(await options()).toEqual({ ca, headers: { authorization: "Bearer second" } });
  });
});
