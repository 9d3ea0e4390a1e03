/** A real OCI registry, behind TLS and a login as large registries have it: a challenge, a token from a realm, blobs elsewhere. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { Child, freePorts } from "../cluster/os/child.ts";
import { binary } from "../cluster/tools.ts";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { isListening } from "./listening.ts";
import { startWeb, type WebServer } from "./web.ts";

export interface Registry {
  /** host:port */
  host: string;
  ca: string;
  /** By the authority of `ca`, for other servers of this machine. */
  certificate: Certificate;
  /** How it lets callers in. */
  login: "none" | "basic" | "token";
  /** Where blobs are redirected to; absent: they are served here. */
  redirect: string | undefined;
  /** The login's own server; its answer can be changed. */
  realm: WebServer;
  /** Requests so far, with the Authorization header where there was one. */
  requests: string[];
  username: string;
  password: string;
  /** Pushes an artifact with these files as layers, named by annotation; the digest of its manifest. */
  push(repository: string, tag: string, files: Record<string, string>): Promise<string>;
  pushManifest(repository: string, tag: string, manifest: object): Promise<string>;
  /** What the registry answers instead of a blob's own bytes. */
  lie: string | undefined;
  stop(): Promise<void>;
}

const sha256 = (content: string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;
const manifestType = "application/vnd.oci.image.manifest.v1+json";

export async function startRegistry(): Promise<Registry> {
  const root = await mkdtemp(join(tmpdir(), "lemnis-registry-"));
  const certificate: Certificate = await makeCertificate(join(root, "pki"));
  const [port = 0] = await freePorts(1);
  const child = await Child.start({
    name: "registry",
    command: await binary("registry"),
    args: ["-port", String(port)],
    logFile: join(root, "registry.log"),
    isReady: () => isListening(port),
  });
  const upstream = `http://127.0.0.1:${port}`;
  const front = await startWeb(certificate);
  const realm = await startWeb(certificate);
  const [username, password, token] = ["user", "registry-test-secret", "given.by.the.realm"];
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  realm.answer = ({ headers }, response) => {
    if (headers.authorization === basic) response.end(JSON.stringify({ token }));
    else response.writeHead(401).end();
  };
  const put = async (path: string, body: string, type: string) => {
    const { statusCode, body: answer } = await request(`${upstream}/v2/${path}`, {
      method: "PUT",
      headers: { "content-type": type },
      body,
    });
    if (statusCode !== 201) throw new Error(`the registry refused ${path}: ${statusCode} ${await answer.text()}`);
    await answer.dump();
  };
  const pushManifest = async (repository: string, tag: string, manifest: object) => {
    const text = JSON.stringify(manifest);
    await put(`${repository}/manifests/${tag}`, text, manifestType);
    return sha256(text);
  };
  const server: Registry = {
    ...{ host: front.url.replace("https://", ""), ca: certificate.ca, certificate, login: "none", realm },
    ...{ username, password },
    ...{ redirect: undefined, lie: undefined, requests: front.requests, pushManifest },
    async push(repository, tag, files) {
      const layers = [];
      for (const [title, content] of Object.entries({ ...files, config: "{}" })) {
        const digest = sha256(content);
        const { headers, body } = await request(`${upstream}/v2/${repository}/blobs/uploads/`, { method: "POST" });
        await body.dump();
        const upload = String(headers.location).replace(/^.*\/v2\//, "");
        await put(`${upload}?digest=${digest}`, content, "application/octet-stream");
        const annotations = { "org.opencontainers.image.title": title };
        layers.push({ mediaType: "application/octet-stream", digest, size: content.length, annotations });
      }
      const { annotations: _, ...config } = layers.pop() ?? { annotations: {} };
      return pushManifest(repository, tag, { schemaVersion: 2, mediaType: manifestType, config, layers });
    },
    async stop() {
      front.stop();
      realm.stop();
      await child.stop("SIGKILL");
      await rm(root, { recursive: true, force: true });
    },
  };
  front.answer = (incoming, response) => {
    const { authorization } = incoming.headers;
    const right = { none: authorization, basic, token: `Bearer ${token}` }[server.login];
    if (authorization !== right) {
      const challenge =
        server.login === "basic" ? 'Basic realm="here"' : `Bearer realm="${realm.url}/token",service="test"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    } else if (server.redirect && incoming.url?.includes("/blobs/")) {
      response.writeHead(307, { location: server.redirect }).end();
    } else if (server.lie !== undefined && incoming.url?.includes("/blobs/")) {
      response.end(server.lie);
    } else {
      const forwarded = httpRequest(upstream + incoming.url, { method: incoming.method, headers: incoming.headers });
      forwarded.on("response", (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      forwarded.on("error", () => response.destroy());
      incoming.pipe(forwarded);
    }
  };
  return server;
}
