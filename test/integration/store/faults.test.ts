/** The store is killed, runs out of disk, or is away: what it acknowledged is there once, and nothing is half-visible. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreClient } from "../../../operator/store/client.ts";
import { datasetInput, fileOf, openStore, sha256 } from "../../builders/store.ts";
import { freePorts } from "../../cluster/os/child.ts";
import { startWorld } from "./world.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lemnis-faults-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A store in a process of its own, which can be killed. */
async function spawnStore(): Promise<{ url: string; process: ChildProcess; client: StoreClient }> {
  const [port = 0] = await freePorts(1);
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "store-process.ts"), join(folder, "data"), String(port)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  await once(child.stdout as NodeJS.ReadableStream, "data");
  const url = `http://127.0.0.1:${port}`;
  return { url, process: child, client: new StoreClient({ url, token: async () => "team-a:default", tries: 1 }) };
}

async function kill({ process: child, client }: Awaited<ReturnType<typeof spawnStore>>): Promise<void> {
  child.kill("SIGKILL");
  await Promise.all([once(child, "exit"), client.close()]);
}

function localFile(content: string): string {
  const path = join(folder, sha256(content).slice(7, 20));
  writeFileSync(path, content);
  return path;
}

test("a store that is killed while it is written to has what it acknowledged, once", async () => {
  const acknowledged: string[] = [];
  for (let round = 0; round < 4; round++) {
    const store = await spawnStore();
    const writing = (async () => {
      for (let index = 0; ; index++) {
        const content = `round ${round}, version ${index}`;
        const file = fileOf(content);
        await store.client.uploadFile("team-a", localFile(content), file);
        const { digest } = await store.client.registerDatasetVersion(
          "team-a",
          "wine",
          datasetInput([file], { retain: 1000 }),
        );
        acknowledged.push(digest);
      }
    })().catch(() => undefined);
    const before = acknowledged.length;
    while (acknowledged.length < before + 5 + round) await new Promise((resolve) => setTimeout(resolve, 5));
    await kill(store);
    await writing;
  }
  const store = await spawnStore();
  const { versions } = await store.client.dataset("team-a", "wine");
  const digests = versions.map(({ digest }) => digest);
  expect(acknowledged.length).toBeGreaterThan(20);
  expect(digests).toEqual(expect.arrayContaining(acknowledged));
  expect(new Set(digests).size).toBe(digests.length);
  expect(versions.map(({ version }) => version)).toEqual(versions.map((_, index) => versions.length - index));
  await kill(store);
});

test("a store that is killed while it gives up versions has all bytes of those that are left, and what they were made from", async () => {
  const data = join(folder, "reclaimed");
  for (let round = 0; round < 5; round++) {
    const program = join(import.meta.dirname, "reclaiming-process.ts");
    const child = spawn(process.execPath, [program, data, String(round)], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout as NodeJS.ReadableStream, "data");
    // Somewhere within a few hundred of its writes.
    await new Promise((resolve) => setTimeout(resolve, 300 + 137 * round));
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = openStore({ folder: data });
    const [raw, derived] = ["raw", "derived"].map((name) => store.datasets.read("a", name));
    expect(raw?.versions.length).toBeGreaterThan(0);
    for (const name of ["raw", "derived"]) {
      for (const { version } of store.datasets.read("a", name).versions) {
        const { files = [] } = store.datasets.detail("a", name, String(version)) ?? {};
        expect(files.length).toBeGreaterThan(0);
        for (const { digest } of files) expect(await store.blobs.isIntact("a", digest)).toBe(true);
      }
    }
    const digests = raw?.versions.map(({ digest }) => digest);
    for (const { parents = [] } of derived?.versions ?? []) expect(digests).toContain(parents[0]?.digest);
    expect(raw?.versions.length).toBeLessThan(6);
    store.database.close();
  }
  // A start later, no byte is kept that no version has.
  const store = openStore({ folder: data });
  await store.blobs.collectStray();
  await store.blobs.collect(-1);
  const kept = ["raw", "derived"].flatMap((name) =>
    store.datasets
      .read("a", name)
      .versions.flatMap(({ version }) => store.datasets.detail("a", name, String(version))?.files ?? []),
  );
  const onDisk = readdirSync(join(data, "blobs/a"), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(onDisk.map((entry) => `sha256:${entry.name}`).sort()).toEqual(
    [...new Set(kept.map(({ digest }) => digest))].sort(),
  );
  store.close();
}, 120_000);

test("an upload that the store's death cut short is not there, and can be sent again", async () => {
  const store = await spawnStore();
  const digest = sha256("first half, second half");
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from("first half, ")),
  });
  const headers = { authorization: "Bearer team-a:default", "content-type": "application/octet-stream" };
  const url = `${store.url}/v1/namespaces/team-a/artifacts/${digest}`;
  const upload = fetch(url, { method: "PUT", headers, body, duplex: "half" } as RequestInit).catch(
    (error: Error) => error,
  );
  const uploads = join(folder, "data/blobs/.uploads");
  while (readdirSync(uploads).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await kill(store);
  expect(await upload).toBeInstanceOf(Error);
  const again = await spawnStore();
  expect(readdirSync(uploads)).toEqual([]);
  const content = "first half, second half";
  await expect(again.client.download("team-a", digest, join(folder, "got"))).rejects.toMatchObject({ status: 404 });
  await again.client.uploadFile("team-a", localFile(content), fileOf(content));
  await again.client.download("team-a", digest, join(folder, "got"));
  await kill(again);
});

test("a volume that is full is said so, and the store works on once there is room", async () => {
  const data = join(folder, "small");
  mkdirSync(data);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", data]);
  const world = await startWorld(data);
  try {
    const client = world.clientOf("team-a:default");
    const large = "x".repeat(6 * 2 ** 20);
    await expect(client.uploadFile("team-a", localFile(large), fileOf(large))).rejects.toMatchObject({
      status: 507,
      code: "DiskFull",
      transient: true,
    });
    expect((await world.request(undefined, "GET", "/readyz")).status).toBe(503);
    expect((await world.request(undefined, "GET", "/healthz")).status).toBe(200);
    await client.uploadFile("team-a", localFile("small"), fileOf("small"));
    expect(await client.registerDatasetVersion("team-a", "wine", datasetInput([fileOf("small")]))).toMatchObject({
      version: 1,
    });
  } finally {
    await world.stop();
    execFileSync("umount", [data]);
  }
});

test("a store that is asked to stop finishes the request that is under way", async () => {
  const world = await startWorld(join(folder, "data"));
  const content = "slowly sent";
  let send: ReadableStreamDefaultController<Buffer> | undefined;
  const body = new ReadableStream<Buffer>({
    start(controller) {
      send = controller;
      controller.enqueue(Buffer.from("slowly "));
    },
  });
  const headers = { authorization: "Bearer team-a:default", "content-type": "application/octet-stream" };
  const url = `${world.url}/v1/namespaces/team-a/artifacts/${sha256(content)}`;
  const upload = fetch(url, { method: "PUT", headers, body, duplex: "half" } as RequestInit);
  while (readdirSync(join(folder, "data/blobs/.uploads")).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const stopping = world.stop();
  send?.enqueue(Buffer.from("sent"));
  send?.close();
  expect((await upload).status).toBe(201);
  await stopping;
});

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
