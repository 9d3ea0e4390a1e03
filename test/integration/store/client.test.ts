/** The store's client before servers that do not answer as they should. */
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreClient } from "../../../operator/store/client.ts";
import { sha256 } from "../../builders/store.ts";
import { freePorts } from "../../cluster/os/child.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lemnis-client-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a client", () => {
  /** Answers as it is told, one after the other; the last one again and again. */
  function answering(
    ...answers: { status: number; body: string }[]
  ): Promise<{ url: string; asked: () => number; server: Server }> {
    let count = 0;
    const server = createServer((_, response) => {
      const { status, body } = answers[Math.min(count++, answers.length - 1)] ?? { status: 500, body: "" };
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    });
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        resolve({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => count, server });
      });
    });
  }
  const refusal = (code: string) => JSON.stringify({ error: { code, message: "as told" } });
  const empty = JSON.stringify({ versions: [], aliases: {} });

  async function ask(url: string, tries: number) {
    const client = new StoreClient({ url, token: async () => "t", tries });
    try {
      return await client.model("a", "wine");
    } finally {
      await client.close();
    }
  }

  test("tries a passing failure again, and no other", async () => {
    const passing = await answering({ status: 503, body: refusal("Locked") }, { status: 200, body: empty });
    expect(await ask(passing.url, 3)).toEqual({ versions: [], aliases: {} });
    expect(passing.asked()).toBe(2);
    passing.server.close();
    const final = await answering({ status: 409, body: refusal("Conflict") });
    await expect(ask(final.url, 3)).rejects.toMatchObject({
      status: 409,
      code: "Conflict",
      message: "as told",
      transient: false,
    });
    expect(final.asked()).toBe(1);
    final.server.close();
  });

  test("sends a file once, whose digest comes with the answer, and notices a store that got other bytes", async () => {
    const file = join(folder, "data.csv");
    await writeFile(file, "a\n1\n");
    const send = async (digest: string) => {
      const { url, server, asked } = await answering({ status: 201, body: JSON.stringify({ digest, size: 4 }) });
      const client = new StoreClient({ url, token: async () => "t", tries: 1 });
      try {
        return { stored: await client.uploadFile("a", file), asked: asked() };
      } finally {
        await client.close();
        server.close();
      }
    };
    const digest = sha256("a\n1\n");
    expect(await send(digest)).toEqual({ stored: { digest, size: 4 }, asked: 1 });
    await expect(send(sha256("b\n1\n"))).rejects.toMatchObject({ status: 502, code: "DigestMismatch" });
  });

  test("says that nobody answers, and what a proxy in between says", async () => {
    const [port = 0] = await freePorts(1);
    await expect(ask(`http://127.0.0.1:${port}`, 1)).rejects.toMatchObject({
      status: 0,
      code: "Unreachable",
      transient: true,
    });
    const proxy = await answering({ status: 502, body: "<html>bad gateway</html>" });
    await expect(ask(proxy.url, 1)).rejects.toMatchObject({ status: 502, transient: true, message: /502: <html>/ });
    proxy.server.close();
  });

  test("keeps no bytes that have another digest", async () => {
    const liar = await answering({ status: 200, body: "other bytes" });
    const client = new StoreClient({ url: liar.url, token: async () => "t", tries: 1 });
    const target = join(folder, "downloaded");
    await expect(client.download("a", sha256("right bytes"), target)).rejects.toMatchObject({ code: "DigestMismatch" });
    expect(existsSync(target)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
    await client.close();
    liar.server.close();
  });
});
