/** Versions that are stored by reference: the pinned bytes, from wherever they are, or a refusal. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { PutBucketVersioningCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import pino from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { describeFile } from "../../../operator/agent/artifact/files.ts";
import { placeSplit } from "../../../operator/agent/artifact/split.ts";
import type { AgentContext } from "../../../operator/agent/context.ts";
import type { ArtifactLocation } from "../../../operator/agent/tasks.ts";
import type { DatasetVersionDetail } from "../../../operator/store/api.ts";
import { type S3Server, startS3 } from "../../cluster/s3.ts";
import { type GitServer, startGit } from "../../servers/git.ts";
import { failure, type Pod, startPod } from "./sources.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await startPod();
});
afterEach(() => pod.close());

/** A version of what the location holds now, as a snapshot registers it. */
async function pin(location: ArtifactLocation): Promise<DatasetVersionDetail> {
  const fetched = await pod.fetch(location);
  if ("unchanged" in fetched) throw new Error("unchanged");
  const within = <File extends { path: string }>(file: File) => ({ ...file, path: `all/${file.path}` });
  return {
    version: 3,
    files: fetched.files.map(({ path, size = 0, digest = "" }) => within({ path, size, digest })),
    origins: fetched.origins?.map(within),
  } as DatasetVersionDetail;
}

async function place(version: DatasetVersionDetail, location: ArtifactLocation | undefined) {
  const folder = join(pod.paths.work, "placed");
  const context = { ...pod.context, logger: pino({ level: "silent" }) } as AgentContext;
  const request = { namespace: "team-a", dataset: "wine", version, split: "all", folder, location };
  const files = await placeSplit(context, request);
  return Object.fromEntries(
    await Promise.all(files.map(async ({ path, local }) => [path, await readFile(local, "utf8")])),
  );
}

const changed = (uri: string) => failure("SourceChanged", `${uri} is not what version 3 of Dataset wine pins`);
const forget = () => rm(join(pod.paths.work, "placed"), { recursive: true });

describe("of a bucket", () => {
  let s3: S3Server;
  let client: S3Client;
  let location: ArtifactLocation;
  const put = (Bucket: string, Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket, Key, Body }));
  beforeAll(async () => {
    s3 = await startS3();
    const credentials = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey };
    client = new S3Client({ endpoint: s3.url, region: "us-east-1", forcePathStyle: true, credentials });
  });
  afterAll(async () => {
    client.destroy();
    await s3.stop();
  });
  beforeEach(async () => {
    await pod.secret({ AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey });
    location = { uri: "s3://data/wine/", endpoint: s3.url, secret: true };
    await s3.put("data", "first", "");
    await put("data", "wine/a.csv", "a\n1\n");
    await put("data", "wine/deep/b.csv", "a\n2\n");
  });

  test("the pinned objects, and no more of them", async () => {
    const version = await pin(location);
    await put("data", "wine/c.csv", "a\n3\n");
    expect(await place(version, location)).toEqual({ "a.csv": "a\n1\n", "deep/b.csv": "a\n2\n" });
  });

  test("an object that has changed is never other data, but what is in place stays", async () => {
    const version = await pin(location);
    await place(version, location);
    await put("data", "wine/a.csv", "a\n9\n");
    expect(await place(version, location)).toMatchObject({ "a.csv": "a\n1\n" });
    await forget();
    await expect(place(version, location)).rejects.toMatchObject(changed("s3://data/wine/a.csv"));
    await expect(readFile(join(pod.paths.work, "placed/a.csv"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("an object that is gone, and one whose ETag lies", async () => {
    const version = await pin(location);
    const [first, ...others] = version.files;
    const lying = { ...version, files: [{ ...first, digest: `sha256:${"0".repeat(64)}` }, ...others] };
    await expect(place(lying as DatasetVersionDetail, location)).rejects.toMatchObject(changed("s3://data/wine/a.csv"));
    const gone = { ...version, origins: version.origins?.map((origin) => ({ ...origin, uri: `${origin.uri}x` })) };
    await expect(place(gone, location)).rejects.toMatchObject(failure("SourceChanged", "is not what version 3"));
  });

  test("with the Secret that is mounted for this one, of several", async () => {
    location = { ...location, uri: "s3://data/wine/a.csv" };
    const version = await pin(location);
    await pod.secret({ AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: "another store's" });
    await expect(place(version, location)).rejects.toMatchObject(failure("SourceForbidden", "s3://data/wine/"));
    const own = `${pod.paths.secret}-2`;
    await mkdir(own, { recursive: true });
    await writeFile(join(own, "AWS_ACCESS_KEY_ID"), s3.accessKey);
    await writeFile(join(own, "AWS_SECRET_ACCESS_KEY"), s3.secretKey);
    expect(await place(version, { ...location, mount: "2" })).toEqual({ "a.csv": "a\n1\n" });
  });

  test("that keeps versions: the old one, when there is a newer", async () => {
    await s3.put("kept", "first", "");
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: "kept", VersioningConfiguration }));
    await put("kept", "a.csv", "old");
    const kept = { ...location, uri: "s3://kept/a.csv" };
    const version = await pin(kept);
    await put("kept", "a.csv", "new");
    expect(await place(version, kept)).toEqual({ "a.csv": "old" });
  });
});

describe("of a web server", () => {
  let server: Server;
  let location: ArtifactLocation;
  let content = { etag: '"1"', body: "a\n1\n" };
  beforeAll(async () => {
    server = createServer((request, response) => {
      const matches = [undefined, content.etag].includes(request.headers["if-match"]);
      if (request.url !== "/wine.csv?token=secret" || !matches) response.writeHead(matches ? 404 : 412).end();
      else response.setHeader("etag", content.etag).end(content.body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    location = { uri: `http://127.0.0.1:${port}/wine.csv?token=secret`, secret: false };
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("the file while it is the same; its query is not kept", async () => {
    const version = await pin(location);
    expect(JSON.stringify(version)).not.toContain("secret");
    expect(await place(version, location)).toEqual({ "wine.csv": "a\n1\n" });
    content = { etag: '"2"', body: "a\n2\n" };
    await forget();
    await expect(place(version, location)).rejects.toMatchObject(changed("/wine.csv"));
    content = { etag: '"1"', body: "a\n3\n" };
    await expect(place(version, location)).rejects.toMatchObject(changed("/wine.csv"));
  });
});

describe("of a repository", () => {
  let git: GitServer;
  beforeAll(async () => {
    git = await startGit();
  });
  afterAll(() => git.stop());

  test("the pinned commit, after the branch has moved on", async () => {
    await git.commit("data.git", { "wine/a.csv": "old", "wine/b.csv": "b" });
    const location = { uri: `${git.https}/data.git`, path: "wine", secret: true };
    await pod.secret({ "ca.crt": git.ca });
    const version = await pin(location);
    await git.commit("data.git", { "wine/a.csv": "new" });
    expect(await place(version, location)).toEqual({ "a.csv": "old", "b.csv": "b" });
    await forget();
    const other = { ...location, uri: `${git.https}/other.git` };
    await expect(place(version, other)).rejects.toMatchObject(failure("SourceChanged", "another repository"));
  });
});

describe("of a volume", () => {
  test("the files while they are the same", async () => {
    const location = { uri: "pvc://claim/wine", secret: false };
    const file = join(pod.paths.source, "wine/a.csv");
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, "a\n1\n");
    const fetched = await pod.fetch(location);
    expect(fetched).toMatchObject({ origins: [{ path: "a.csv", uri: "pvc://claim/wine/a.csv" }] });
    const digest = `sha256:${"0".repeat(64)}`;
    const version = { ...(await pin(location)), files: [{ path: "all/a.csv", size: 4, digest }] };
    await expect(place(version, location)).rejects.toMatchObject(changed("pvc://claim/wine/a.csv"));
    const right = { ...version, files: [await describeFile({ path: "all/a.csv", local: file, size: 4 })] };
    expect(await place(right, location)).toEqual({ "a.csv": "a\n1\n" });
    await forget();
    await rename(pod.paths.source, `${pod.paths.source}-2`);
    await expect(place(right, location)).rejects.toMatchObject(changed("pvc://claim/wine/a.csv"));
    expect(await place(right, { ...location, mount: "2" })).toEqual({ "a.csv": "a\n1\n" });
  });
});

test("a task that does not say where the source is", async () => {
  await writeFile(join(pod.paths.source, "a.csv"), "a\n");
  const version = await pin({ uri: "pvc://claim/a.csv", secret: false });
  await expect(place(version, undefined)).rejects.toMatchObject(failure("InternalError", "stored by reference"));
});
