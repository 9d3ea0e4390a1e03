/** The store is killed, runs out of disk, or is away: what it acknowledged is there once, and nothing is half-visible. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreClient } from "../../../operator/store/client.ts";
import { datasetInput, fileOf, sha256 } from "../../builders/store.ts";
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

test("a store that stops has cleared up after a sender that went away", async () => {
  const world = await startWorld(join(folder, "data"));
  const { hostname, port } = new URL(world.url);
  const uploads = () => readdirSync(join(folder, "data/blobs/.uploads"));
  const head = `POST /v1/namespaces/team-a/artifacts HTTP/1.1\r\nhost: store\r\nauthorization: Bearer team-a:default\r\n`;
  const bytes = Buffer.alloc(64 << 20, "x");
  const sender = connect(Number(port), hostname);
  sender.write(`${head}content-type: application/octet-stream\r\ncontent-length: ${bytes.length}\r\n\r\n`);
  await new Promise((resolve) => sender.write(bytes, resolve));
  expect(uploads()).toHaveLength(1);
  sender.destroy();
  await world.stop();
  expect(uploads()).toEqual([]);
});
