/** Code from a Flux artifact, as `stage` fetches it: a server on loopback stands in for source-controller. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StageTask } from "../../../operator/agent/tasks.ts";
import { tarGz } from "../../builders/archive.ts";
import { sha256 } from "../../builders/store.ts";
import { namespace, startWorld, type World } from "./world.ts";

const archive = tarGz({ path: "train/train.py", content: "print(1)" }, { path: "README.md", content: "x" });
const digest = sha256(archive);

let world: World;
let server: Server;
/** How the next request is answered. */
let answer: { status: number; body?: Buffer; headers?: Record<string, string> };
let url: string;

beforeEach(async () => {
  world = await startWorld();
  answer = { status: 200, body: archive };
  server = createServer((_, response) => {
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/gitrepository/team-a/code/a.tar.gz`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await world.close();
});

const stage = (code: Partial<{ url: string; digest: string; path: string }> = {}) =>
  world.run({ verb: "stage", namespace, inputs: [], code: { url, digest, path: "train", ...code } } as StageTask);

test("the commit's folder is where the code is expected, however often stage runs", async () => {
  for (let time = 0; time < 2; time++) {
    expect(await stage()).toMatchObject({ code: 0 });
    await mkdir(join(world.paths.code, "half"), { recursive: true });
    await writeFile(join(world.paths.code, "half", "written"), "by a try that was killed");
  }
  expect(await stage()).toMatchObject({ code: 0 });
  expect(await readdir(world.paths.code)).toEqual(["train.py"]);
});

test.each<[string, () => void, number, RegExp]>([
  ["SourceForbidden", () => (url = "http://169.254.169.254/latest/a.tar.gz"), 3, /link-local/],
  [
    "DigestMismatch",
    () => (answer.body = tarGz({ path: "a", content: "evil" })),
    3,
    /has the digest sha256:.* Flux says/,
  ],
  ["CodeChanged", () => (answer.status = 404), 3, /no longer there.*a new run/],
  ["SourceUnreachable", () => (answer.status = 503), 1, /HTTP 503/],
  ["SourceUnreachable", () => server.close() && server.closeAllConnections(), 1, /can't be reached.*NetworkPolicy/],
  ["SourceInvalid", () => (answer = { status: 302, headers: { location: "http://127.0.0.1:1/" } }), 3, /HTTP 302/],
  ["SourceUnreachable", () => (answer.headers = { "content-length": String(archive.length + 1) }), 1, /broke off/],
])("%s, and nothing is staged", async (reason, happen, exit, says) => {
  happen();
  const { code, message } = await stage();
  expect({ code, message }).toEqual({ code: exit, message: { reason, message: expect.stringMatching(says) } });
  expect(await readdir(world.paths.code).catch(() => [])).toEqual([]);
});
