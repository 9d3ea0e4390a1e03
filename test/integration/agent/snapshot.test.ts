/** Snapshots from real servers and folders into the real store. */
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { freePorts } from "../../cluster/os/child.ts";
import { type S3Server, startS3 } from "../../cluster/s3.ts";
import { namespace, snapshotTask, startWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const csv = "id,class\n1,0\n2,1\n3,0\n";
const tasks = { permanent: 3, passing: 1 };
const splits = {
  seed: 0,
  shares: [
    { name: "train", percent: 80 },
    { name: "test", percent: 20 },
  ],
};

describe("a mounted file", () => {
  test("becomes a version with schema, profile and splits", async () => {
    await world.source("wine.csv", csv);
    const columns = [{ name: "class", role: "Label" as const }];
    const { code, message } = await world.run(snapshotTask("wine.csv", { columns, splits }));
    expect([code, message]).toEqual([0, expect.objectContaining({ version: 1, rows: 3 })]);
    const version = await world.store.getDatasetVersion(namespace, "wine", "1");
    expect(version).toMatchObject({
      columns: [
        { name: "id", type: "Int64", nullable: false },
        { name: "class", type: "Int64", role: "Label" },
      ],
      profile: [
        { name: "id", count: 3, min: 1, max: 3, mean: 2 },
        {
          topValues: [
            { value: "0", count: 2 },
            { value: "1", count: 1 },
          ],
        },
      ],
      source: { uri: "pvc://data/wine.csv" },
    });
    expect((version.splits.train ?? 0) + (version.splits.test ?? 0)).toBe(3);
  });

  test("that is the same makes no other version; more rows make one, in which no row has changed its split", async () => {
    const rows = Array.from({ length: 200 }, (_, index) => `${index},${index % 3}\n`);
    await world.source("wine.csv", `id,class\n${rows.slice(0, 120).join("")}`);
    await world.run(snapshotTask("wine.csv", { splits }));
    await world.run(snapshotTask("wine.csv", { splits }));
    await world.source("wine.csv", `id,class\n${rows.join("")}`);
    await world.run(snapshotTask("wine.csv", { splits }));
    expect((await world.store.dataset(namespace, "wine")).versions).toHaveLength(2);
    const held = async (version: string) => {
      const { files } = await world.store.getDatasetVersion(namespace, "wine", version);
      const target = join(world.paths.work, `held-${version}`);
      await world.store.download(namespace, files.find(({ path }) => path.startsWith("test/"))?.digest ?? "", target);
      return (await readFile(target, "utf8")).trim().split("\n").slice(1);
    };
    const [before, after] = [await held("1"), await held("2")];
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after.filter((row) => Number(row.split(",")[0]) < 120)).toEqual(before);
  });

  test("in a folder with others is read with them; a folder of JSON lines, too", async () => {
    await world.source("folder/a.csv", csv);
    await world.source("folder/b.csv", "id,class\n4,1\n");
    await world.source("folder/readme.md", "no data");
    expect((await world.run(snapshotTask("folder/"))).message).toMatchObject({ rows: 4 });
    await world.source("lines/a.jsonl", '{"id": 1}\n{"id": 2}\n');
    expect((await world.run(snapshotTask("lines/", { format: "JSONL", dataset: "lines" }))).message).toMatchObject({
      rows: 2,
    });
  });

  test.each<[string, string, string, RegExp]>([
    ["none.csv", "", "SourceNotFound", /pvc:\/\/data\/none\.csv does not exist/],
    ["empty.csv", "", "EmptyDataset", /empty/],
    ["header.csv", "id,class\n", "EmptyDataset", /no rows/],
    ["ragged.csv", "id,class\n1\n", "SourceInvalid", /ragged\.csv, line 2/],
  ])("that is wrong ends for good: %s", async (name, content, reason, says) => {
    if (content || name === "empty.csv") await world.source(name, content);
    const { code, message } = await world.run(snapshotTask(name));
    expect([code, message]).toEqual([tasks.permanent, { reason, message: expect.stringMatching(says) }]);
  });

  test("that a link leads out of the volume to is not read", async () => {
    await writeFile(join(world.paths.work, "secret"), csv);
    await symlink(join(world.paths.work, "secret"), join(world.paths.source, "link.csv"));
    const { code, message } = await world.run(snapshotTask("link.csv"));
    expect([code, message.reason]).toEqual([tasks.permanent, "SourceForbidden"]);
    await mkdir(join(world.paths.source, "folder"));
    await symlink("/etc", join(world.paths.source, "folder/etc"));
    expect((await world.run(snapshotTask("folder/"))).message.reason).toBe("SourceForbidden");
  });

  test("of which a task is told to end leaves no version", async () => {
    await world.source("wine.csv", csv);
    const { code } = await world.run(snapshotTask("wine.csv"), { signal: AbortSignal.abort() });
    expect(code).toBe(tasks.passing);
  });
});

describe("over HTTP", () => {
  let server: Server;
  let url: string;
  let answer: RequestListener;
  beforeAll(async () => {
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
  });
  const read = (path = "/wine.csv", timing = {}) => world.run(snapshotTask(url + path), { timing });

  test("a file is read, packed or not, and its ETag is kept", async () => {
    answer = (_, response) => response.setHeader("etag", '"v1"').end(csv);
    expect((await read("/wine.csv?token=secret")).message).toMatchObject({ version: 1, rows: 3 });
    const { source } = await world.store.getDatasetVersion(namespace, "wine", "1");
    expect(source).toEqual({ uri: `${url}/wine.csv`, state: '"v1"' });
    answer = (_, response) => response.end(gzipSync(csv));
    expect((await read("/wine.csv.gz")).message).toMatchObject({ version: 1 });
  });

  test("a file that has not changed is not read, but how many versions are to stay is told", async () => {
    let reads = 0;
    answer = ({ headers }, response) => {
      if (headers["if-none-match"] === '"v1"') response.writeHead(304).end();
      else response.setHeader("etag", '"v1"').end(csv, () => reads++);
    };
    await read();
    const told = vi.spyOn(world.store, "retainDatasetVersions");
    const { message } = await world.run(snapshotTask(`${url}/wine.csv`, { retain: 2 }));
    expect([message, reads]).toEqual([expect.objectContaining({ version: 1, unchanged: true }), 1]);
    expect(told.mock.calls).toEqual([[namespace, "wine", 2]]);
  });

  test("a redirect is followed, and endless ones are not", async () => {
    answer = ({ url: path }, response) => {
      if (path === "/wine.csv") response.writeHead(302, { location: "/moved" }).end();
      else response.end(csv);
    };
    expect((await read()).code).toBe(0);
    answer = (_, response) => response.writeHead(302, { location: "/wine.csv" }).end();
    expect((await read()).message).toMatchObject({
      reason: "SourceInvalid",
      message: expect.stringMatching(/more than 5 times/),
    });
    answer = (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end();
    expect((await read()).message).toMatchObject({ reason: "SourceInvalid" });
  });

  test.each([
    [404, "SourceNotFound", tasks.permanent],
    [403, "SourceForbidden", tasks.permanent],
    [500, "SourceUnreachable", tasks.passing],
    [429, "SourceUnreachable", tasks.passing],
  ])("the status %i is %s", async (status, reason, exit) => {
    answer = (_, response) => response.writeHead(status).end();
    const { code, message } = await read();
    expect([code, message]).toEqual([exit, { reason, message: expect.stringContaining(String(status)) }]);
  });

  test.each<[string, RequestListener]>([
    [
      "is cut short",
      (_, response) => {
        response.writeHead(200, { "content-length": "1000" }).write(csv, () => response.destroy());
      },
    ],
    [
      "stops half-way",
      (_, response) => {
        response.writeHead(200, { "content-length": "1000" }).write(csv);
      },
    ],
  ])("an answer that %s makes no version, and is tried again", async (_, listener) => {
    answer = listener;
    const { code, message } = await read("/wine.csv", { idle: 500 });
    expect([code, message.reason]).toEqual([tasks.passing, "SourceUnreachable"]);
    expect((await world.store.dataset(namespace, "wine")).versions).toEqual([]);
  });

  test("a host that is not there", async () => {
    const [port = 0] = await freePorts(1);
    const { code, message } = await world.run(snapshotTask(`http://user:secret@127.0.0.1:${port}/a.csv`));
    expect([code, message.reason]).toEqual([tasks.passing, "SourceUnreachable"]);
    expect(message.message).not.toContain("secret");
  });
});

describe("from S3", () => {
  let s3: S3Server;
  beforeAll(async () => {
    s3 = await startS3();
    await s3.put("data", "wine/part-1.csv", csv);
    await s3.put("data", "wine/deep/part-2.csv", "id,class\n4,1\n");
    await s3.put("data", "wine/notes.txt.md", "no data");
  });
  afterAll(() => s3.stop());

  async function read(key: string, { bucket = "data", secretKey = s3.secretKey } = {}) {
    await writeFile(join(world.paths.secret, "AWS_ACCESS_KEY_ID"), s3.accessKey);
    await writeFile(join(world.paths.secret, "AWS_SECRET_ACCESS_KEY"), `${secretKey}\n`);
    const source = { uri: `s3://${bucket}/${key}`, endpoint: s3.url, secret: true };
    return world.run(snapshotTask("", { source }));
  }

  test("an object, and all that a prefix holds", async () => {
    expect((await read("wine/part-1.csv")).message).toMatchObject({ version: 1, rows: 3 });
    expect((await read("wine/")).message).toMatchObject({ version: 2, rows: 4 });
  });

  test.each([
    ["a key that is not there", { key: "none.csv" }, "SourceNotFound", /s3:\/\/data\/none\.csv/],
    ["a prefix without data", { key: "empty/" }, "SourceNotFound", /s3:\/\/data\/empty\//],
    ["a bucket that is not there", { key: "a.csv", bucket: "none" }, "SourceNotFound", /bucket/],
    ["a wrong secret key", { key: "wine/", secretKey: "never-to-be-told" }, "SourceForbidden", /secretRef/],
  ])("%s", async (_, { key, ...options }, reason, says) => {
    const { code, message, log } = await read(key, options);
    expect([code, message]).toEqual([tasks.permanent, { reason, message: expect.stringMatching(says) }]);
    expect(log).not.toMatch(/never-to-be-told|lemnis-test-secret/);
  });

  test("a Secret without the keys that are needed", async () => {
    const source = { uri: "s3://data/wine/", endpoint: s3.url, secret: true };
    const { code, message } = await world.run(snapshotTask("", { source }));
    expect([code, message]).toEqual([
      tasks.permanent,
      { reason: "SourceForbidden", message: expect.stringContaining("AWS_ACCESS_KEY_ID") },
    ]);
  });
});
