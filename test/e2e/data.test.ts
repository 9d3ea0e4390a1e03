/** Datasets from every kind of source, and data that is wrong. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeAddress } from "../cluster/layout.ts";
import { type S3Server, startS3 } from "../cluster/s3.ts";
import { kubectl } from "../demo/target.ts";
import { type GitServer, startGit } from "../servers/git.ts";
import { claim, python } from "./objects.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let s3: S3Server;
let git: GitServer;

/** A web server with one file. */
const web = createServer((request, response) => {
  response.statusCode = request.url === "/good.csv" ? 200 : 404;
  response.end(request.url === "/good.csv" ? good : "no such file\n");
});

const good = "id,size,class\n1,2.5,0\n2,3.5,1\n3,4.5,0\n";
const files = {
  "good.csv": good,
  "good.jsonl": '{"id": 1, "class": "a"}\n{"id": 2, "class": "b"}\n',
  "ragged.csv": "id,size\n1,2.5\n2\n3,4.5\n",
  "types.csv": "id,size\n1,2.5\ntwo,3.5\n",
  "empty.csv": "",
  "header.csv": "id,size\n",
};

function dataset(name: string, uri: string, spec: object = {}) {
  return { kind: "Dataset", metadata: { name }, spec: { source: { uri }, ...spec } };
}

const s3Dataset = (name: string, key: string, secret: string) =>
  dataset(name, "", { source: { uri: `s3://data/${key}`, endpoint: s3.url, secretRef: { name: secret } } });

function secret(name: string, accessKey: string, secretKey: string) {
  const stringData = { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey };
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, stringData };
}

const opaque = (name: string, stringData: object) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name },
  stringData,
});
const gitDataset = (name: string, uri: string, secret: string) =>
  dataset(name, "", { source: { uri, path: "data/good.csv", secretRef: { name: secret } } });

const wrongKey = "a-secret-that-must-not-be-told";
const contract = { schema: { columns: [{ name: "id", type: "Int64" }] } };

beforeAll(async () => {
  world = await makeWorld("data");
  s3 = await startS3(nodeAddress);
  git = await startGit(nodeAddress);
  await git.commit("wine", { "data/good.csv": good });
  await new Promise<void>((resolve) => web.listen(0, nodeAddress, resolve));
  const webUrl = `http://${nodeAddress}:${(web.address() as AddressInfo).port}`;
  await s3.put("data", "wine/part-1.csv", good);
  await s3.put("data", "wine/part-2.csv", "id,size,class\n4,5.5,1\n");
  const write = `import os; os.makedirs("/data/folder"); open("/data/folder/good.csv", "w").write(${JSON.stringify(good)})`;
  await world.apply(claim("data"), python("fill", write, { image: world.images.sklearn, claim: "data" }));
  await kubectl(world.target, ["wait", "pod/fill", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s"]);
  await world.apply(
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "files" }, data: files },
    secret("right", s3.accessKey, s3.secretKey),
    secret("wrong", s3.accessKey, wrongKey),
    opaque("authority", { "ca.crt": git.ca }),
    opaque("key", { "ssh-privatekey": git.sshKey, known_hosts: git.knownHosts }),
    gitDataset("https", `${git.https}/wine`, "authority"),
    gitDataset("ssh", `${git.ssh}${git.folder("wine")}`, "key"),
    dataset("csv", "configmap://files/good.csv", { splits: { train: 50, test: 50 } }),
    dataset("jsonl", "configmap://files/good.jsonl", { format: "JSONL" }),
    dataset("claim", "pvc://data/folder/good.csv"),
    s3Dataset("bucket", "wine/", "right"),
    s3Dataset("wrong-key", "wine/", "wrong"),
    s3Dataset("no-key", "nothing-here.csv", "right"),
    dataset("http", `${webUrl}/good.csv`),
    dataset("http-404", `${webUrl}/none.csv`),
    dataset("no-host", "http://no-such-host.invalid/data.csv"),
    dataset("ragged", "configmap://files/ragged.csv"),
    dataset("types", "configmap://files/types.csv", contract),
    dataset("empty", "configmap://files/empty.csv"),
    dataset("header", "configmap://files/header.csv"),
    dataset("no-column", "configmap://files/good.csv", { schema: { columns: [{ name: "price" }] } }),
    dataset("no-claim", "pvc://nowhere/data.csv"),
    dataset("not-jsonl", "configmap://files/good.csv", { format: "JSONL" }),
  );
});

afterAll(async () => {
  web.close();
  await s3?.stop();
  await git?.stop();
});

describe("a source of each kind becomes a version", () => {
  test.each([
    ["csv", 3],
    ["jsonl", 2],
    ["claim", 3],
    ["http", 3],
    ["bucket", 4],
    ["https", 3],
    ["ssh", 3],
  ])("%s", async (name, rows) => {
    await world.reason("dataset", name, "VersionCurrent");
    expect((await world.get("dataset", name)).status).toMatchObject({ version: 1, rows });
  });

  test("the same bytes have the same digest, wherever they are from", async () => {
    const [fromClaim, fromWeb] = await Promise.all([world.get("dataset", "claim"), world.get("dataset", "http")]);
    expect(fromClaim.status.digest).toMatch(/^sha256:/);
    expect(fromWeb.status.digest).toBe(fromClaim.status.digest);
  });
});

describe("data that is wrong makes no version and says why", () => {
  test.each([
    ["wrong-key", "SourceForbidden", /secretRef|key|refused/i],
    ["no-key", "SourceNotFound", /nothing-here\.csv/],
    ["http-404", "SourceNotFound", /404.*none\.csv|none\.csv.*404/],
    ["no-host", "SourceUnreachable", /no-such-host\.invalid/],
    ["ragged", "SourceInvalid", /line 3/],
    ["types", "SchemaViolation", /id/],
    ["empty", "EmptyDataset", /empty/i],
    ["header", "EmptyDataset", /no rows/i],
    ["no-column", "SchemaViolation", /price/],
    ["not-jsonl", "SourceInvalid", /line 1.*not valid JSON/],
    ["no-claim", "Unschedulable", /nowhere/],
  ])("%s: %s", async (name, reason, says) => {
    const condition = await world.reason("dataset", name, reason);
    expect(condition.message).toMatch(says);
    expect(condition.status).toBe("False");
    expect((await world.events(name, reason)).length).toBeGreaterThan(0);
    expect((await world.get("dataset", name)).status.version).toBeUndefined();
  });

  test("a wrong key is not told to anyone", async () => {
    const told = await Promise.all([
      kubectl(world.target, ["get", "datasets,events,jobs,pods", "-o", "json"]),
      kubectl(world.target, ["logs", "-l", "lemnis.dev/dataset=wrong-key", "--all-containers", "--tail=-1"]),
    ]);
    expect(told.join()).not.toContain(wrongKey);
  });
});

test("the last good version stays when the source breaks, and data that is mended is read", async () => {
  const configMap = (text: string) => ({
    ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "changing" } },
    data: { "data.csv": text },
  });
  const look = (id: string) => ({
    ...dataset("changing", "configmap://changing/data.csv"),
    metadata: { name: "changing", annotations: { "lemnis.dev/refresh": id } },
  });
  await world.apply(configMap(good), look("first"));
  await world.reason("dataset", "changing", "VersionCurrent");
  await world.apply(configMap("id,size,class\n1,2,3,4\n"), look("second"));
  const broken = await world.reason("dataset", "changing", "SourceInvalid");
  expect(broken.message).toContain("version 1 stays current");
  expect((await world.get("dataset", "changing")).status).toMatchObject({ version: 1, rows: 3 });
  await world.apply(configMap(`${good}4,5.5,1\n`), look("third"));
  await world.until("dataset", "changing", ({ status }) => status.version === 2);
});

test.each([
  ["pvc://data/../../etc/passwd", /must not hold \.\. segments/],
  ["ftp://host/data.csv", /must be a uri that begins with http:\/\//],
  ["https://user:pass@host/data.csv", /secretRef/],
])("apply rejects the uri %s", async (uri, says) => {
  await expect(world.apply(dataset("rejected", uri))).rejects.toThrow(says);
});
