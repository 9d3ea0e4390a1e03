/** Buckets on a real S3 server, also as Google Cloud Storage speaks S3. */
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { PutBucketVersioningCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { smallTransfers, transfers } from "../../../operator/agent/artifact/concurrent.ts";
import { S3Store } from "../../../operator/agent/source/s3.ts";
import type { SnapshotTask } from "../../../operator/agent/tasks.ts";
import { sha256 } from "../../builders/store.ts";
import { type S3Server, startS3 } from "../../cluster/s3.ts";
import { contents, failure, type Pod, startPod } from "./sources.ts";
import { namespace, snapshotTask, startWorld, type World } from "./world.ts";

let s3: S3Server;
let client: S3Client;
let pod: Pod;

beforeAll(async () => {
  s3 = await startS3();
  const credentials = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey };
  client = new S3Client({ endpoint: s3.url, region: "us-east-1", forcePathStyle: true, credentials });
  for (const [key, content] of Object.entries({
    "wine/day=1/part-1.csv": "a\n1\n",
    "wine/day=1/part-10.csv": "a\n10\n",
    "wine/day=2/part-1.csv": "a\n2\n",
    "wine/day=2/deep/part-1.csv": "a\n3\n",
    "wine/notes.md": "no data",
  })) {
    await s3.put("data", key, content);
  }
});
afterAll(async () => {
  client.destroy();
  await s3.stop();
});
beforeEach(async () => {
  pod = await startPod();
  await pod.secret({ AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey });
});
afterEach(() => pod.close());

const fetch = (uri: string, options = {}) => pod.fetch({ uri, endpoint: s3.url }, options);
const put = (Bucket: string, Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket, Key, Body }));

describe.each(["s3", "gs"])("%s", (scheme) => {
  test("an object with its size and digest, and what pins it", async () => {
    let told = 0;
    const fetched = await fetch(`${scheme}://data/wine/day=1/part-1.csv`, {
      progress: (bytes: number) => (told += bytes),
    });
    expect(fetched).toMatchObject({
      folder: false,
      state: expect.stringMatching(/^sha256:/),
      files: [{ path: "part-1.csv", size: 4, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) }],
      origins: [{ path: "part-1.csv", uri: `${scheme}://data/wine/day=1/part-1.csv`, etag: expect.any(String) }],
    });
    expect(await contents(fetched)).toEqual({ "part-1.csv": "a\n1\n" });
    expect(told).toBe(4);
  });

  test.each([
    ["wine/day=2/", ["deep/part-1.csv", "part-1.csv"]],
    ["wine/day=*/part-?.csv", ["day=1/part-1.csv", "day=2/part-1.csv"]],
    ["wine/**/part-1.csv", ["day=1/part-1.csv", "day=2/deep/part-1.csv", "day=2/part-1.csv"]],
    ["wine/day=1/part-1*", ["part-1.csv", "part-10.csv"]],
    ["wine/day=2/**", ["deep/part-1.csv", "part-1.csv"]],
  ])("%s names what it should", async (key, paths) => {
    const fetched = await fetch(`${scheme}://data/${key}`, { wanted: (path: string) => path.endsWith(".csv") });
    expect(Object.keys(await contents(fetched))).toEqual(paths);
  });
});

test("what has not changed is noticed by its listing, and what has is read", async () => {
  await s3.put("changing", "a.csv", "a\n1\n");
  const first = await fetch("s3://changing/");
  expect(await fetch("s3://changing/", { known: first.state })).toEqual({ unchanged: true, state: first.state });
  await put("changing", "b.csv", "a\n2\n");
  const second = await fetch("s3://changing/", { known: first.state });
  expect(await contents(second)).toEqual({ "a.csv": "a\n1\n", "b.csv": "a\n2\n" });
  const single = await fetch("s3://changing/b.csv");
  expect(await fetch("s3://changing/b.csv", { known: single.state })).toMatchObject({ unchanged: true });
  await put("changing", "b.csv", "a\n3\n");
  expect(await contents(await fetch("s3://changing/b.csv", { known: single.state }))).toEqual({ "b.csv": "a\n3\n" });
});

test("a version of a bucket that keeps them is pinned, and read when there is a newer one", async () => {
  await s3.put("versioned", "other", "");
  const Status = "Enabled";
  await client.send(new PutBucketVersioningCommand({ Bucket: "versioned", VersioningConfiguration: { Status } }));
  await put("versioned", "a.csv", "old");
  const fetched = await fetch("s3://versioned/a.csv");
  const version = "origins" in fetched ? fetched.origins?.[0]?.version : undefined;
  expect(version).toEqual(expect.any(String));
  await put("versioned", "a.csv", "new");
  const store = new S3Store(client, { scheme: "s3", name: "versioned" }, pod.context.timing);
  const { stream } = await store.open({ key: "a.csv", version });
  expect((await stream.toArray()).join("")).toBe("old");
});

describe("refused with a reason:", () => {
  test("an object that changes or goes between list and read", async () => {
    await put("changing", "c.csv", "one");
    const store = new S3Store(client, { scheme: "s3", name: "changing" }, pod.context.timing);
    const { etag } = await store.head("c.csv");
    await put("changing", "c.csv", "two");
    await expect(store.open({ key: "c.csv", etag })).rejects.toMatchObject(failure("SourceChanged", "c.csv", true));
  });

  test("a glob without a match, a bucket and a key that are not there", async () => {
    await expect(fetch("s3://data/wine/*.parquet")).rejects.toMatchObject(failure("SourceNotFound", "matches no file"));
    await expect(fetch("s3://none/")).rejects.toMatchObject(failure("SourceNotFound", "bucket"));
    await expect(fetch("s3://data/none.csv")).rejects.toMatchObject(failure("SourceNotFound", "s3://data/none.csv"));
  });

  test("an endpoint that the platform team denies, or that is this machine", async () => {
    const uri = "s3://data/wine/";
    await expect(pod.fetch({ uri, endpoint: s3.url, deniedRanges: ["127.0.0.0/8"] })).rejects.toMatchObject(
      failure("SourceForbidden", "denied by the platform team"),
    );
    const strict = await startPod({ allowLoopback: false });
    await expect(strict.fetch({ uri, endpoint: s3.url })).rejects.toMatchObject(failure("SourceForbidden", "loopback"));
    await strict.close();
  });

  test("keys that would leave the folder", async () => {
    const listing = `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>
      <Contents><Key>wine/../../etc/passwd</Key><Size>1</Size><ETag>"a"</ETag></Contents></ListBucketResult>`;
    const liar = createServer((_, response) => response.end(listing));
    await new Promise<void>((resolve) => liar.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
    try {
      await expect(pod.fetch({ uri: "s3://data/wine/", endpoint })).rejects.toMatchObject(
        failure("SourceInvalid", "../../etc/passwd"),
      );
    } finally {
      liar.closeAllConnections();
      liar.close();
    }
  });
});

describe("files that are no table", () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
    const credentials = { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey };
    for (const [key, value] of Object.entries(credentials)) await writeFile(join(world.paths.secret, key), value);
  });
  afterEach(() => world.close());

  const snapshot = (prefix: string, changes: Partial<SnapshotTask> = {}) => {
    const source = { uri: `s3://images/${prefix}/`, endpoint: s3.url, secret: true };
    return world.run(snapshotTask("", { source, format: "Files", ...changes }));
  };
  const isImage = (path: string | Buffer) => String(path).endsWith(".png");

  test.each([
    { what: "small ones", most: smallTransfers, padding: 0 },
    { what: "large ones", most: transfers, padding: 1 << 20 },
  ])("go to the store one by one: the volume holds those under way, and in the end none: $what", async (files) => {
    const { what, most, padding } = files;
    const image = (number: number) => `image ${number}`.padEnd(padding + 1);
    for (let number = 0; number < 30; number++) await s3.put("images", `${what}/${number}.png`, image(number));
    const waiting: number[] = [];
    const { uploadFile } = world.store;
    const held = () => readdirSync(join(world.paths.work, "source"), { recursive: true }).filter(isImage).length;
    world.store.uploadFile = (...upload) => {
      waiting.push(held());
      return uploadFile.apply(world.store, upload);
    };
    const { message } = await snapshot(what);
    const bytes = padding > 0 ? 30 * (padding + 1) : 10 * 7 + 20 * 8;
    expect(message).toMatchObject({ version: 1, rows: 30, bytes });
    expect(waiting).toHaveLength(30);
    expect(Math.max(...waiting)).toBeLessThanOrEqual(most);
    expect(held()).toBe(0);
    const version = await world.store.getDatasetVersion(namespace, "wine", "1");
    const target = join(world.paths.work, "7.png");
    await world.store.download(namespace, version.files.find(({ path }) => path === "all/7.png")?.digest ?? "", target);
    expect(readFileSync(target, "utf8")).toBe(image(7));
  });

  test.each<SnapshotTask["storage"]>(["Copy", "Reference"])(
    "are fetched when they are new or changed, and no others (storage: %s)",
    async (storage) => {
      const folder = storage.toLowerCase();
      const fetched = vi.spyOn(S3Store.prototype, "open");
      const taken = () => fetched.mock.calls.splice(0).map(([{ key }]) => key.slice(folder.length + 1));
      await s3.put("images", "other", "");
      for (const name of ["a", "b", "deep/c"]) await put("images", `${folder}/${name}.png`, name);
      await snapshot(folder, { storage });
      expect(taken().toSorted()).toEqual(["a.png", "b.png", "deep/c.png"]);
      await put("images", `${folder}/b.png`, "B");
      await put("images", `${folder}/d.png`, "d");
      expect((await snapshot(folder, { storage })).message).toMatchObject({ version: 2, rows: 4, bytes: 9 });
      expect(taken().toSorted()).toEqual(["b.png", "d.png"]);
      const { files, origins } = await world.store.getDatasetVersion(namespace, "wine", "2");
      expect(files.map(({ path }) => path)).toEqual(["all/a.png", "all/b.png", "all/d.png", "all/deep/c.png"]);
      expect(files.map(({ digest }) => digest)).toEqual(["a", "B", "d", "deep/c"].map(sha256));
      if (storage === "Reference") expect(origins?.map(({ etag }) => etag)).toEqual(Array(4).fill(expect.any(String)));
      // Another recipe is another reading.
      await snapshot(folder, { storage, recipe: `sha256:${"1".repeat(64)}` });
      expect(taken()).toHaveLength(4);
      fetched.mockRestore();
    },
  );
});
