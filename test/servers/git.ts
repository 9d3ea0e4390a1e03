/** Git repositories over https (git http-backend) and ssh (OpenSSH's server), on loopback. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { run } from "../cluster/command.ts";
import { Child, freePorts } from "../cluster/os/child.ts";
import { ensurePrograms, sourcePrograms } from "../cluster/os/host.ts";
import { makeCertificate } from "./certificate.ts";
import { isListening } from "./listening.ts";

/** Text, a link's target, or another repository's commit. */
export type GitFile = string | { link: string } | { submodule: string };

export interface GitServer {
  /** git+https://127.0.0.1:port */
  https: string;
  /** git+ssh://user@127.0.0.1:port */
  ssh: string;
  ca: string;
  /** What must be sent over https; nothing by default. */
  authorization: string | undefined;
  sshKey: string;
  knownHosts: string;
  /** What a request over https got, in order: method, path and the Authorization header. */
  requests: string[];
  /** Makes a commit with exactly these files on a branch, in a repository that is made when it is new. */
  commit(repository: string, files: Record<string, GitFile>, branch?: string): Promise<string>;
  /** Where the repository is, for commands of git. */
  folder(repository: string): string;
  stop(): Promise<void>;
}

/** Its clients must reach `address`: pods reach the node's, tests any loopback one. */
export async function startGit(address = "127.0.0.1"): Promise<GitServer> {
  await ensurePrograms(sourcePrograms, () => {});
  const root = await mkdtemp(join(tmpdir(), "lemnis-git-"));
  const certificate = await makeCertificate(join(root, "pki"), address);
  const folder = (repository: string) => join(root, "repositories", repository);
  const web = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
    server.requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`.trim());
    if (server.authorization && request.headers.authorization !== server.authorization) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    } else {
      serve(join(root, "repositories"), request, response);
    }
  });
  await new Promise<void>((resolve) => web.listen(0, address, resolve));
  const ssh = await startSsh(root, address);
  const server: GitServer = {
    https: `git+https://${address}:${(web.address() as AddressInfo).port}`,
    ssh: `git+ssh://${userInfo().username}@${address}:${ssh.port}`,
    ca: certificate.ca,
    authorization: undefined,
    sshKey: ssh.key,
    knownHosts: ssh.knownHosts,
    requests: [],
    folder,
    async commit(repository, files, branch = "main") {
      await mkdir(folder(repository), { recursive: true });
      const git = (args: string[], input = "") => run("git", ["-C", folder(repository), ...args], { input });
      await git(["init", "--quiet", "--bare", "--initial-branch=main"]);
      await git(["fast-import", "--quiet", "--force"], importStream(files, branch));
      return (await git(["rev-parse", branch])).trim();
    },
    async stop() {
      web.closeAllConnections();
      web.close();
      await ssh.child.stop("SIGKILL");
      await rm(root, { recursive: true, force: true });
    },
  };
  return server;
}

/** See git-fast-import(1). */
function importStream(files: Record<string, GitFile>, branch: string): string {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const lines = Object.entries(files).map(([path, file]) => {
    const quoted = JSON.stringify(path);
    if (typeof file === "string") return `M 100644 inline ${quoted}\n${data(file)}`;
    return "link" in file ? `M 120000 inline ${quoted}\n${data(file.link)}` : `M 160000 ${file.submodule} ${quoted}\n`;
  });
  const head = `commit refs/heads/${branch}\ncommitter Test <test@example.com> 1700000000 +0000\n`;
  return `${head}${data("a commit")}deleteall\n${lines.join("")}`;
}

/** git http-backend speaks CGI (RFC 3875). */
function serve(repositories: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "https://127.0.0.1");
  const child = spawn("git", ["http-backend"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: repositories,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      ...(request.headers["content-encoding"]
        ? { HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"]) }
        : {}),
    },
  });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  let head = "";
  const onHead = (chunk: Buffer) => {
    head += chunk.toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    child.stdout.off("data", onHead);
    const headers = new Map(
      head
        .slice(0, end)
        .split("\r\n")
        .map((line) => line.split(/: (.*)/s) as [string, string]),
    );
    response.writeHead(Number.parseInt(headers.get("Status") ?? "200", 10), {
      "content-type": headers.get("Content-Type") ?? "text/plain",
    });
    response.write(Buffer.from(head.slice(end + 4), "latin1"));
    child.stdout.pipe(response);
  };
  child.stdout.on("data", onHead);
}

async function startSsh(root: string, address: string) {
  const file = (name: string) => join(root, name);
  for (const name of ["host_key", "user_key"]) {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file(name)]);
  }
  await writeFile(file("authorized_keys"), await readFile(file("user_key.pub")));
  await mkdir("/run/sshd", { recursive: true });
  const [port = 0] = await freePorts(1);
  const settings = [
    `ListenAddress ${address}:${port}`,
    `HostKey ${file("host_key")}`,
    `AuthorizedKeysFile ${file("authorized_keys")}`,
    `PidFile none`,
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    "StrictModes no",
    "UsePAM no",
  ];
  await writeFile(file("sshd_config"), settings.join("\n"));
  const child = await Child.start({
    name: "sshd",
    command: "/usr/sbin/sshd",
    args: ["-D", "-e", "-f", file("sshd_config")],
    logFile: file("sshd.log"),
    isReady: () => isListening(port, address),
  });
  const hostKey = (await readFile(file("host_key.pub"), "utf8")).split(" ").slice(0, 2).join(" ");
  return { child, port, key: await readFile(file("user_key"), "utf8"), knownHosts: `[${address}]:${port} ${hostKey}` };
}
