/** Blobs in Azure's storage, as Azurite emulates it. */

import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AzureStore } from "../../../operator/agent/source/azure.ts";
import { openNetwork } from "../../../operator/agent/source/network.ts";
import { openPinned } from "../../../operator/agent/source/pinned.ts";
import { type AzureServer, startAzure } from "../../servers/azurite.ts";
import { contents, failure, type Pod, startPod } from "./sources.ts";

let azure: AzureServer;
let pod: Pod;
const odd = "wine/ä & b+c#d%.csv";

beforeAll(async () => {
  azure = await startAzure();
  await azure.makeContainer("data");
  await azure.put("data", "wine/day=1/a.csv", "a\n1\n");
  await azure.put("data", "wine/day=2/a.csv", "a\n2\n");
  await azure.put("data", "wine/notes.md", "no data");
  await azure.put("data", odd, "a\n3\n");
});
afterAll(() => azure.stop());
beforeEach(async () => {
  pod = await startPod();
  await pod.secret({ AZURE_STORAGE_KEY: azure.key });
});
afterEach(() => pod.close());

const location = (key: string) => ({ uri: `az://${azure.account}/data/${key}`, endpoint: azure.endpoint });
const fetch = (key: string, options = {}) => pod.fetch(location(key), options);
const csv = { wanted: (path: string) => path.endsWith(".csv") };

describe.each(["key", "token"])("with a %s", (access) => {
  beforeEach(async () => {
    if (access === "token")
      await pod.secret({ AZURE_STORAGE_KEY: "", AZURE_STORAGE_SAS_TOKEN: `?${azure.sasToken()}` });
  });

  test("a blob, a prefix and a glob", async () => {
    const fetched = await fetch("wine/day=1/a.csv");
    expect(await contents(fetched)).toEqual({ "a.csv": "a\n1\n" });
    expect(fetched).toMatchObject({
      folder: false,
      files: [{ size: 4, digest: expect.stringMatching(/^sha256:/) }],
      origins: [{ uri: `az://${azure.account}/data/wine/day=1/a.csv`, etag: expect.stringMatching(/^"0x/) }],
    });
    expect(Object.keys(await contents(await fetch("wine/", csv)))).toEqual([
      "day=1/a.csv",
      "day=2/a.csv",
      odd.slice("wine/".length),
    ]);
    expect(await contents(await fetch("wine/day=*/*.csv", csv))).toEqual({
      "day=1/a.csv": "a\n1\n",
      "day=2/a.csv": "a\n2\n",
    });
    expect(await contents(await fetch(odd))).toEqual({ [odd.slice("wine/".length)]: "a\n3\n" });
  });
});

test("what has not changed is noticed by its listing", async () => {
  const first = await fetch("wine/", csv);
  expect(await fetch("wine/", { ...csv, known: first.state })).toEqual({ unchanged: true, state: first.state });
  await azure.put("data", "wine/day=3/a.csv", "a\n4\n");
  expect(Object.keys(await contents(await fetch("wine/", { ...csv, known: first.state })))).toContain("day=3/a.csv");
});

test("what is pinned is read again, unless it has changed", async () => {
  await azure.put("data", "pinned/a.csv", "old");
  const fetched = await fetch("pinned/");
  const origin = "origins" in fetched ? fetched.origins?.[0] : undefined;
  if (!origin) throw new Error("nothing was pinned");
  const source = await openPinned(pod.context, { ...location("pinned/"), secret: true });
  const target = join(pod.paths.work, "again");
  expect(await source.write(origin, target)).toMatchObject({ size: 3 });
  await azure.put("data", "pinned/a.csv", "new");
  await expect(source.write(origin, target)).rejects.toMatchObject(failure("SourceChanged", "pinned/a.csv", true));
  await source.close();
});

test("a long list comes in pages", async () => {
  await azure.makeContainer("pages");
  await Promise.all(Array.from({ length: 7 }, (_, index) => azure.put("pages", `a${index}`, "x")));
  const network = await openNetwork(pod.context, { uri: "", secret: true });
  const container = { account: azure.account, container: "pages" };
  const store = await AzureStore.open(
    container,
    { endpoint: azure.endpoint },
    { network, timing: pod.context.timing, pageSize: 3 },
  );
  const pages: number[] = [];
  for await (const page of store.list("")) pages.push(page.length);
  await store.close();
  expect(pages).toEqual([3, 3, 1]);
});

describe("refused with a reason:", () => {
  test("a blob, a container and a prefix that are not there", async () => {
    await expect(fetch("none.csv")).rejects.toMatchObject(failure("SourceNotFound", "data/none.csv"));
    await expect(fetch("none/")).rejects.toMatchObject(failure("SourceNotFound", "holds no file"));
    const nowhere = pod.fetch({ ...location(""), uri: `az://${azure.account}/none/` });
    await expect(nowhere).rejects.toMatchObject(failure("SourceNotFound", "container"));
  });

  test("a wrong key, no key, and an endpoint where no source may be", async () => {
    await pod.secret({ AZURE_STORAGE_KEY: Buffer.from("wrong").toString("base64") });
    await expect(fetch("wine/")).rejects.toMatchObject(failure("SourceForbidden", "AZURE_STORAGE_KEY"));
    await pod.secret({ AZURE_STORAGE_KEY: "" });
    await expect(fetch("wine/")).rejects.toMatchObject(failure("SourceForbidden", "AZURE_STORAGE_KEY"));
    await expect(pod.fetch({ ...location("wine/"), deniedRanges: ["127.0.0.0/8"] })).rejects.toMatchObject(
      failure("SourceForbidden", "denied by the platform team"),
    );
  });

  test.each(["az://account", "az://a.evil.host/data/a", "az://Account/data/a", "az://account/../a"])(
    "%s",
    async (uri) => {
      await expect(pod.fetch({ uri })).rejects.toMatchObject(failure("SourceInvalid", "no account and container"));
    },
  );
});
