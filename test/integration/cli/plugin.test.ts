/** `kubectl lemnis` as users run it: found by kubectl, under their own rights, through the API server's proxy. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dataset } from "../../builders/kinds.ts";
import { versionDetail } from "../../builders/profile.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
const range = (count: number, from: number) => Array.from({ length: count }, (_, index) => from + index);
const version = (number: number, from: number) =>
  versionDetail(
    number,
    {
      alcohol: { values: range(200, from) },
      mail: { type: "String", sensitive: true, values: range(200, 0).map(() => "secret@example.com") },
    },
    { missing: [{ columns: ["alcohol"], rows: 3 }] },
  );

beforeAll(async () => {
  world = await startWorld();
  for (const namespace of ["team-a", "team-b"]) {
    const { apiVersion, kind, metadata, spec } = dataset();
    await world.apply({ apiVersion, kind, metadata: { name: metadata.name, namespace }, spec });
  }
  await world.register("team-a", "wine", version(1, 0));
  await world.register("team-a", "wine", version(2, 500));
  await world.register("team-b", "wine", version(1, 70_000));
});
afterAll(() => world?.stop());

describe("an editor of the namespace", () => {
  test("sees a profile, of the current version and of an older one", async () => {
    const { out, err, code } = await world.lemnis("alice", "profile", "wine");
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toMatch(/^team-a\/wine version 2 \(current\)/);
    expect(out).toContain("values withheld");
    expect(out).toMatch(/NULL TOGETHER .*\nalcohol +3/);
    expect(out).not.toContain("secret");
    expect((await world.lemnis("alice", "profile", "wine", "1")).out).toMatch(/^team-a\/wine version 1 {2}sha256/);
  });

  test("compares versions, the second being the current one, and writes pages and JSON", async () => {
    const { out } = await world.lemnis("alice", "diff", "wine", "1");
    expect(out).toMatch(/^team-a\/wine version 1 → 2/);
    expect(out).toMatch(/alcohol +much/);
    const page = join(world.plane.dir, "diff.html");
    expect(await world.lemnis("alice", "diff", "wine", "1", "2", "--output", page)).toMatchObject({ code: 0 });
    expect(await readFile(page, "utf8")).toMatch(/^<!DOCTYPE html>[\s\S]*much drift/);
    const json = JSON.parse((await world.lemnis("alice", "diff", "wine", "1", "-o", "json")).out);
    expect(json).toMatchObject({ before: { version: 1 }, after: { version: 2 }, columns: [{ name: "alcohol" }, {}] });
  });

  test("lists versions", async () => {
    const { out } = await world.lemnis("alice", "versions", "wine");
    expect(out.split("\n")).toEqual([
      expect.stringMatching(/^VERSION {2}CURRENT {2}DIGEST/),
      expect.stringMatching(/^ {6}2 {2}\* {8}sha256:/),
      expect.stringMatching(/^ {6}1 {11}sha256:/),
      "",
    ]);
  });

  test("is told what is not there", async () => {
    const missing = await world.lemnis("alice", "profile", "beer");
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('no Dataset "beer" in namespace "team-a"') });
    const unknown = await world.lemnis("alice", "profile", "wine", "9");
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining("version 9 of dataset wine") });
    expect(await world.lemnis("alice", "profile", "wine", "--context", "mars")).toMatchObject({
      ...{ code: 1, err: expect.stringContaining('no context "mars": choose one of lemnis-local') },
    });
    expect(await world.lemnis("alice", "profile", "wine", "--store", "lemnis-system/other")).toMatchObject({
      ...{ code: 1, err: expect.stringMatching(/other.*(rbac\.pluginAccess|--store)/) },
    });
  });
});

describe("namespaces are apart", () => {
  test("who may edit one sees nothing of another", async () => {
    expect((await world.lemnis("eve", "profile", "wine", "-n", "team-b")).out).toMatch(/^team-b\/wine version 1/);
    const other = await world.lemnis("eve", "profile", "wine", "-n", "team-a");
    expect(other).toMatchObject({ code: 1, err: expect.stringContaining("you may not get Datasets") });
    expect(other.out).toBe("");
  });

  test("a token of one reads nothing of another, by way of the proxy too", async () => {
    const path = "/api/v1/namespaces/lemnis-system/services/http:lemnis-store:http/proxy/v1/namespaces";
    const ask = async (namespace: string, token: string | undefined) => {
      const { dispatcher } = await trusting(world.plane.caFile);
      const headers = { authorization: `Bearer ${world.plane.token}`, ...(token ? { "lemnis-token": token } : {}) };
      const answer = await dispatcher.request({
        origin: world.plane.url,
        path: `${path}/${namespace}/datasets/wine`,
        method: "GET",
        headers,
      });
      const text = await answer.body.text();
      await dispatcher.close();
      return { status: answer.statusCode, text };
    };
    expect(await ask("team-b", await world.tokenOf("team-b"))).toMatchObject({ status: 200 });
    const refused = await ask("team-a", await world.tokenOf("team-b"));
    expect(refused).toMatchObject({ status: 403, text: expect.stringContaining("may use namespace team-b only") });
    // A cluster administrator's own token is none for the store, and without one the store tells nothing.
    expect(await ask("team-a", world.plane.token)).toMatchObject({ status: 401 });
    expect(await ask("team-a", undefined)).toMatchObject({ status: 401 });
  });

  test("who may only view is told that editors may", async () => {
    expect(await world.lemnis("bob", "profile", "wine")).toMatchObject({
      ...{ code: 1, err: expect.stringMatching(/may not make a token of the service account "default".*role edit/) },
    });
    expect(await world.lemnis("bob", "refresh", "wine")).toMatchObject({
      ...{ code: 1, err: expect.stringMatching(/may not change Datasets.*role edit/) },
    });
  });

  test("the proxy is for reading: nobody writes to the store through it", async () => {
    const proxy = (verb: string) =>
      world
        .kubectl([
          "auth",
          "can-i",
          verb,
          "services/http:lemnis-store:http",
          "--subresource=proxy",
          "-n",
          "lemnis-system",
          "--as",
          "alice",
          "--as-group",
          "system:authenticated",
        ])
        .then(
          () => true,
          () => false,
        );
    expect(await Promise.all(["get", "create", "update", "patch", "delete"].map(proxy))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe("refresh", () => {
  const setStatus = (status: object) =>
    world.kubectl([
      "-n",
      "team-a",
      "patch",
      "dataset",
      "wine",
      "--subresource=status",
      "--type=merge",
      "-p",
      JSON.stringify({ status }),
    ]);
  const condition = (type: string, reason: string, message: string) => ({
    ...{ type, status: "True", reason, message, observedGeneration: 1, lastTransitionTime: new Date().toISOString() },
  });

  const annotation = async () => {
    const object = JSON.parse(await world.kubectl(["-n", "team-a", "get", "dataset", "wine", "-o", "json"]));
    return object.metadata.annotations?.["lemnis.dev/refresh"] as string | undefined;
  };
  /** Runs it until it has asked for the look. */
  const begin = async (...args: string[]) => {
    const before = await annotation();
    const ended = world.lemnis("alice", "refresh", "wine", "--wait", ...args);
    await expect.poll(annotation, { timeout: 50_000, interval: 500 }).not.toBe(before);
    return { ended };
  };

  test("sets the annotation, and ends", async () => {
    expect(await world.lemnis("alice", "refresh", "wine")).toMatchObject({ code: 0 });
    const object = JSON.parse(await world.kubectl(["-n", "team-a", "get", "dataset", "wine", "-o", "json"]));
    expect(object.metadata.annotations["lemnis.dev/refresh"]).toMatch(/^20/);
    expect(object.spec.source).toEqual(dataset().spec.source);
  });

  test("waits until the look has ended, and shows how far it is", async () => {
    await setStatus({ look: "old", version: 2, rows: 200 });
    await setStatus({ progress: "Reading: 12 MiB, 40,000 rows" });
    const { ended } = await begin();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await setStatus({ look: "new", version: 3, rows: 250, progress: null });
    const { code, err } = await ended;
    expect({ code, err }).toMatchObject({
      code: 0,
      err: expect.stringContaining("version 3 with 250 rows is current"),
    });
    expect(err).toContain("Reading: 12 MiB, 40,000 rows");
  });

  test("fails with what the condition says, and when its time is over", async () => {
    const { ended } = await begin();
    await setStatus({ conditions: [condition("Stalled", "SourceNotFound", "the source answered 404")] });
    expect(await ended).toMatchObject({
      code: 1,
      err: expect.stringContaining("SourceNotFound: the source answered 404"),
    });
    await setStatus({ conditions: [condition("Ready", "VersionCurrent", "version 3 is current")] });
    expect(await world.lemnis("alice", "refresh", "wine", "--wait", "--timeout", "2s")).toMatchObject({
      ...{ code: 1, err: expect.stringContaining("not ended within the timeout: version 3 is current") },
    });
  });
});

test("a store that is away, and a user who may not reach it, are told apart", async () => {
  await world.kubectl([
    "-n",
    "lemnis-system",
    "patch",
    "endpoints",
    "lemnis-store",
    "--type=merge",
    "-p",
    '{"subsets":[]}',
  ]);
  expect(await world.lemnis("alice", "versions", "wine")).toMatchObject({
    ...{ code: 1, err: expect.stringMatching(/the store .*does not answer: see whether its pod runs/) },
  });
  await world.kubectl(["-n", "lemnis-system", "delete", "rolebinding", "lemnis-store-reader"]);
  expect(await world.lemnis("alice", "versions", "wine")).toMatchObject({
    ...{ code: 1, err: expect.stringContaining("rbac.pluginAccess") },
  });
});

async function trusting(caFile: string) {
  const { Agent } = await import("undici");
  return { dispatcher: new Agent({ connect: { ca: await readFile(caFile) } }) };
}
