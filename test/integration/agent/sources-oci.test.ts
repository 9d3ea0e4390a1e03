/** Artifacts in a real registry. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Registry, startRegistry } from "../../servers/registry.ts";
import { startWeb } from "../../servers/web.ts";
import { contents, failure, type Pod, startPod } from "./sources.ts";

let registry: Registry;
let pod: Pod;
let digest: string;
const files = { "a.csv": "a\n1\n", "deep/b.csv": "a\n2\n" };

beforeAll(async () => {
  registry = await startRegistry();
  digest = await registry.push("team/wine", "v1", files);
});
afterAll(() => registry.stop());
beforeEach(async () => {
  pod = await startPod();
  await pod.secret({ "ca.crt": registry.ca });
});
afterEach(async () => {
  registry.login = "none";
  registry.redirect = undefined;
  registry.lie = undefined;
  await pod.close();
});
const fetch = (name = "team/wine:v1", options = {}) => pod.fetch({ uri: `oci://${registry.host}/${name}` }, options);

test("the files of a tag, and of a digest, with what pins them", async () => {
  const fetched = await fetch();
  expect(await contents(fetched)).toEqual(files);
  const uri = expect.stringMatching(/^oci:\/\/127\.0\.0\.1:\d+\/team\/wine@sha256:[0-9a-f]{64}$/);
  expect(fetched).toMatchObject({
    folder: true,
    state: digest,
    origins: [{ path: "a.csv", uri }, { path: "deep/b.csv" }],
  });
  expect(await contents(await fetch(`team/wine@${digest}`))).toEqual(files);
  expect(await contents(await fetch("team/wine:v1", { wanted: (path: string) => path === "a.csv" }))).toEqual({
    "a.csv": "a\n1\n",
  });
});

test("a tag that has not moved is noticed by its digest", async () => {
  expect(await fetch("team/wine:v1", { known: digest })).toEqual({ unchanged: true, state: digest });
  await registry.push("team/moving", "latest", { "a.csv": "old" });
  const first = await fetch("team/moving");
  await registry.push("team/moving", "latest", { "a.csv": "new" });
  const second = await fetch("team/moving", { known: first.state });
  expect(await contents(second)).toEqual({ "a.csv": "new" });
  expect(second).toMatchObject({ folder: false });
});

describe("a registry that asks for a login gets", () => {
  test.each(["basic", "token"] as const)("%s", async (login) => {
    registry.login = login;
    await expect(fetch()).rejects.toMatchObject(failure("SourceForbidden", "secretRef"));
    await pod.secret({ username: registry.username, password: registry.password });
    expect(await contents(await fetch())).toEqual(files);
    await pod.secret({ password: "wrong-and-not-told" });
    await expect(fetch()).rejects.toMatchObject(failure("SourceForbidden", "secretRef"));
  });

  test("a token of the Secret's as it is", async () => {
    registry.login = "token";
    await pod.secret({ token: "given.by.the.realm" });
    expect(await contents(await fetch())).toEqual(files);
  });

  test("no credentials for a realm without TLS, nor for one where no source may be", async () => {
    registry.login = "token";
    const plain = await startWeb();
    const { url } = registry.realm;
    await pod.secret({ username: registry.username, password: registry.password });
    registry.realm.url = plain.url;
    await expect(fetch()).rejects.toMatchObject(failure("SourceInvalid", "without TLS"));
    registry.realm.url = "https://169.254.169.254";
    await expect(fetch()).rejects.toMatchObject(failure("SourceForbidden", "169.254.0.0/16"));
    registry.realm.url = url;
    expect(plain.requests).toEqual([]);
    plain.stop();
  });
});

test("where blobs are redirected to gets no credentials, nor does whom it names", async () => {
  const [elsewhere, stranger] = [await startWeb(registry.certificate), await startWeb(registry.certificate)];
  stranger.answer = (_, response) => response.end(JSON.stringify({ token: "x" }));
  elsewhere.answer = (_, response) =>
    response.writeHead(401, { "www-authenticate": `Bearer realm="${stranger.url}/token"` }).end();
  registry.login = "token";
  registry.redirect = `${elsewhere.url}/blob`;
  await pod.secret({ username: registry.username, password: registry.password });
  await expect(fetch()).rejects.toMatchObject(failure("SourceForbidden", "secretRef"));
  expect(stranger.requests).toEqual([]);
  expect(elsewhere.requests.join()).not.toMatch(/Basic|Bearer/);
  elsewhere.stop();
  stranger.stop();
});

describe("refused with a reason:", () => {
  test("what is not there", async () => {
    await expect(fetch("team/wine:none")).rejects.toMatchObject(failure("SourceNotFound", "does not exist"));
    await expect(fetch("none:v1")).rejects.toMatchObject(failure("SourceNotFound", "does not exist"));
  });

  test("bytes that are not those of their digest", async () => {
    registry.lie = "a\n9\n";
    await expect(fetch()).rejects.toMatchObject(failure("SourceUnreachable", "the registry's bytes are", true));
  });

  test("blobs that are redirected to where no source may be", async () => {
    registry.redirect = "https://169.254.169.254/blob";
    await expect(fetch()).rejects.toMatchObject(failure("SourceForbidden", "169.254.0.0/16"));
    await expect(
      pod.fetch({ uri: `oci://${registry.host}/team/wine:v1`, deniedRanges: ["127.0.0.0/8"] }),
    ).rejects.toMatchObject(failure("SourceForbidden", "denied"));
  });

  test("names that would leave the folder, that come twice, and that are missing", async () => {
    await registry.push("team/odd", "up", { "../../etc/passwd": "a" });
    await expect(fetch("team/odd:up")).rejects.toMatchObject(failure("SourceInvalid", "file name"));
    const layer = { mediaType: "a/b", digest: `sha256:${"0".repeat(64)}`, size: 1 };
    const named = { ...layer, annotations: { "org.opencontainers.image.title": "a.csv" } };
    const of = (...layers: object[]) => ({ schemaVersion: 2, config: layer, layers });
    await registry.pushManifest("team/odd", "twice", of(named, named));
    await expect(fetch("team/odd:twice")).rejects.toMatchObject(failure("SourceInvalid", "two layers named"));
    await registry.pushManifest("team/odd", "image", of(layer));
    await expect(fetch("team/odd:image")).rejects.toMatchObject(failure("SourceInvalid", "oras push"));
  });

  test.each(["oci://registry", "oci://registry/Wine", "oci://registry/a:b:c", "oci://registry/a@sha256:b"])(
    "%s",
    async (uri) => {
      await expect(pod.fetch({ uri })).rejects.toMatchObject(failure("SourceInvalid", "no artifact"));
    },
  );
});
