/** Files from web servers that behave, and from some that do not. */
import { mkdtemp, rm } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { defaultTiming } from "../../../operator/agent/context.ts";
import { type Certificate, makeCertificate } from "../../servers/certificate.ts";
import { startWeb, type WebServer } from "../../servers/web.ts";
import { contents, failure, type Pod, startPod } from "./sources.ts";

let web: WebServer;
let secure: WebServer;
let certificate: Certificate;
let pod: Pod;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lemnis-web-"));
  certificate = await makeCertificate(folder);
  web = await startWeb();
  secure = await startWeb(certificate);
});
afterAll(async () => {
  web.stop();
  secure.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  web.requests = [];
  secure.requests = [];
  pod = await startPod();
});
afterEach(() => pod.close());

const content = "a\n1\n";
const read = (path = "/wine.csv", options = {}) => pod.fetch({ uri: web.url + path }, options);
const redirect =
  (location: string): RequestListener =>
  (_, response) =>
    response.writeHead(302, { location }).end();

describe("what has not changed is noticed", () => {
  test("by its ETag, also where the host does not heed it", async () => {
    web.answer = ({ headers }, response) => {
      response.setHeader("etag", '"v1"');
      if (headers["if-none-match"] === '"v1"') response.writeHead(304).end();
      else response.end(content);
    };
    expect(await read()).toMatchObject({ state: '"v1"', origins: [{ path: "wine.csv", etag: '"v1"' }] });
    expect(await read("/wine.csv", { known: '"v1"' })).toEqual({ unchanged: true, state: '"v1"' });
    expect(await contents(await read("/wine.csv", { known: '"v0"' }))).toEqual({ "wine.csv": content });
    web.answer = (_, response) => response.setHeader("etag", '"v1"').end(content);
    expect(await read("/wine.csv", { known: '"v1"' })).toEqual({ unchanged: true, state: '"v1"' });
  });

  test("by the time of its last change, unless that was just now", async () => {
    const modified = "Thu, 01 Jan 2026 00:00:00 GMT";
    web.answer = ({ headers }, response) => {
      response.setHeader("last-modified", modified);
      if (headers["if-modified-since"] === modified) response.writeHead(304).end();
      else response.end(content);
    };
    expect(await read()).toMatchObject({ state: modified });
    expect(await read("/wine.csv", { known: modified })).toEqual({ unchanged: true, state: modified });
    web.answer = (_, response) =>
      response.setHeader("date", modified).setHeader("last-modified", modified).end(content);
    expect(await read()).not.toHaveProperty("state");
  });
});

describe("redirects", () => {
  test("are followed five times, and no further than https", async () => {
    secure.answer = ({ url }, response) =>
      url === "/end.csv" ? response.end(content) : redirect("/end.csv")({} as never, response as never);
    web.answer = redirect(`${secure.url}/a`);
    await pod.secret({ "ca.crt": certificate.ca });
    expect(await contents(await read())).toEqual({ "wine.csv": content });
    web.answer = redirect("/wine.csv");
    await expect(read()).rejects.toMatchObject(failure("SourceInvalid", "more than 5 times"));
    expect(web.requests).toHaveLength(7);
    secure.answer = redirect(`${web.url}/wine.csv`);
    await expect(pod.fetch({ uri: `${secure.url}/a` })).rejects.toMatchObject(
      failure("SourceInvalid", "https to http"),
    );
  });

  test.each(["file:///etc/passwd", "ftp://host/a", "gopher://127.0.0.1/", "http://[", "data:text/csv,a"])(
    "are not followed to %s",
    async (location) => {
      web.answer = redirect(location);
      await expect(read()).rejects.toMatchObject(failure("SourceInvalid", "no http(s) URL"));
    },
  );

  test("to where no source may be are refused", async () => {
    for (const location of [
      "http://169.254.169.254/latest/meta-data",
      "http://[::ffff:a9fe:a9fe]/",
      "http://2852039166/",
    ]) {
      web.answer = redirect(location);
      await expect(read()).rejects.toMatchObject(failure("SourceForbidden", "169.254.0.0/16 (link-local)"));
    }
  });

  test("to another origin don't take the credentials along", async () => {
    await pod.secret({ token: "s3cret", "ca.crt": certificate.ca });
    secure.answer = (_, response) => response.end(content);
    web.answer = ({ url }, response) =>
      response.writeHead(302, { location: url === "/a.csv" ? "/b.csv" : `${secure.url}/c.csv` }).end();
    await read("/a.csv");
    expect(web.requests).toEqual(["GET /a.csv Bearer s3cret", "GET /b.csv Bearer s3cret"]);
    expect(secure.requests).toEqual(["GET /c.csv"]);
  });
});

test("user and password are sent as Basic", async () => {
  await pod.secret({ username: "user", password: "pass" });
  web.answer = (_, response) => response.end(content);
  await read();
  expect(web.requests).toEqual([`GET /wine.csv Basic ${Buffer.from("user:pass").toString("base64")}`]);
});

test("TLS is verified, by the Secret's ca.crt too", async () => {
  secure.answer = (_, response) => response.end(content);
  const uri = `${secure.url}/a.csv`;
  await expect(pod.fetch({ uri })).rejects.toMatchObject(failure("SourceUnreachable", "certificate", true));
  await pod.secret({ "ca.crt": certificate.ca });
  expect(await contents(await pod.fetch({ uri }))).toEqual({ "a.csv": content });
  const named = uri.replace("127.0.0.1", "localhost");
  expect(await contents(await pod.fetch({ uri: named }))).toEqual({ "a.csv": content });
});

describe("no source is", () => {
  test.each([
    "http://127.0.0.1/a",
    "http://localhost/a",
    "http://0/a",
    "http://[::1]/a",
    "http://0x7f000001/a",
    "http://169.254.169.254/",
  ])("%s", async (uri) => {
    const strict = await startPod({ allowLoopback: false });
    await expect(strict.fetch({ uri })).rejects.toMatchObject(failure("SourceForbidden", "where no source may be"));
    await strict.close();
  });

  test("where the platform team denies it", async () => {
    const denied = pod.fetch({ uri: `${web.url}/a`, deniedRanges: ["127.0.0.0/8"] });
    await expect(denied).rejects.toMatchObject(failure("SourceForbidden", "denied by the platform team"));
  });

  test.each(["file:///etc/passwd", "gopher://host/a", "/etc/passwd", "http:a", ""])("%j", async (uri) => {
    await expect(pod.fetch({ uri })).rejects.toMatchObject(failure("SourceInvalid", /the uri/));
  });
});

test.each<[string, RequestListener]>([
  [
    "is cut short",
    (_, response) => void response.writeHead(200, { "content-length": "9" }).write("a", () => response.destroy()),
  ],
  ["stops half-way", (_, response) => void response.writeHead(200, { "content-length": "9" }).write("a")],
  ["never begins", () => {}],
  ["is no HTTP", (request) => void request.socket.end("hello\r\n\r\n")],
])("an answer that %s is tried again", async (_, answer) => {
  web.answer = answer;
  await expect(read()).rejects.toMatchObject(failure("SourceUnreachable", web.url, true));
});

test("an answer that never stalls and never ends is given up", async () => {
  const hasty = await startPod({ timing: { ...defaultTiming, idle: 200, transfer: 500 } });
  let dripping: NodeJS.Timeout | undefined;
  web.answer = (_, response) => {
    dripping = setInterval(() => response.write("a"), 50);
  };
  try {
    const says = "the transfer took longer than 0.5 s";
    await expect(hasty.fetch({ uri: `${web.url}/a.csv` })).rejects.toMatchObject(
      failure("SourceUnreachable", says, true),
    );
  } finally {
    clearInterval(dripping);
    await hasty.close();
  }
});

test("a name that would leave the folder is made a name", async () => {
  web.answer = (_, response) => response.end(content);
  expect(await contents(await read("/a/..%2f..%2fetc%2fpasswd"))).toEqual({ ".._.._etc_passwd": content });
  expect(await contents(await read("/%00.csv"))).toEqual({ "_.csv": content });
  expect(await contents(await read("/"))).toEqual({ data: content });
});
