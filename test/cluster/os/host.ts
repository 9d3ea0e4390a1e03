import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { isInstalled, run } from "../command.ts";
import { type Log, waitUntil, withProgress } from "../progress.ts";

const nssWrapper = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/libnss_wrapper.so`;

/** Debian's package of each program (or file) that something here runs. */
const packages: Record<string, string> = {
  containerd: "containerd",
  runc: "runc",
  "/usr/lib/cni/bridge": "containernetworking-plugins",
  conntrack: "conntrack",
  iptables: "iptables",
  ip: "iproute2",
  openssl: "openssl",
  buildah: "buildah",
  debootstrap: "debootstrap",
  git: "git",
  ssh: "openssh-client",
  [nssWrapper]: "libnss-wrapper",
  "/usr/sbin/sshd": "openssh-server",
  "/usr/lib/postgresql/15/bin/postgres": "postgresql-15",
};

export const nodePrograms = ["containerd", "runc", "/usr/lib/cni/bridge", "conntrack", "iptables", "ip", "openssl"];
export const imagePrograms = ["buildah", "debootstrap"];
/** Debian 12's; its programs are in no PATH. */
export const postgresPrograms = "/usr/lib/postgresql/15/bin";
/** Servers of data that the integration tests read from. */
export const sourcePrograms = ["git", "ssh", nssWrapper, "/usr/sbin/sshd", `${postgresPrograms}/postgres`, "openssl"];

export function requireRoot(): void {
  if (process.platform !== "linux")
    throw new Error("the local cluster runs on Linux only: use a Linux machine or a virtual one");
  if (process.getuid?.() !== 0) {
    throw new Error(
      "the local cluster makes network devices and mounts, so it needs root: run this with sudo, or in a root shell",
    );
  }
}

/** Installs the packages of programs that are missing, with apt. */
export async function ensurePrograms(programs: readonly string[], log: Log): Promise<void> {
  const missing: string[] = [];
  for (const program of programs) {
    const found = program.startsWith("/") ? existsSync(program) : await isInstalled(program);
    if (!found) missing.push(packages[program] ?? program);
  }
  if (missing.length === 0) return;
  if (!(await isInstalled("apt-get"))) {
    throw new Error(`missing on this machine: ${missing.join(", ")} (Debian's names). Install them and try again.`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await withProgress(log, `installing ${missing.join(", ")} with apt`, async () => {
    await run("apt-get", ["update", "-q"], { env });
    await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...missing], { env });
  });
}

/** How long a port may stay taken: a process that has just ended gives its sockets back a moment later. */
const portReleaseMs = 5_000;

/** Throws when another program listens on an address that a process of the cluster is about to use. */
export async function requireFreePort(
  user: string,
  { address, port }: { address: string; port: number },
): Promise<void> {
  const isFree = async () => {
    const error = await tryListen(address, port);
    if (error && error.code !== "EADDRINUSE") {
      throw new Error(`${user} can't listen on ${address}:${port}: ${error.message}`);
    }
    return !error;
  };
  const failure = () =>
    new Error(
      `${user} needs port ${port} of ${address}, and another program listens on it. ` +
        `Find it with: ss -ltnp 'sport = :${port}'. End it, then run up again.`,
    );
  await waitUntil(isFree, { timeoutMs: portReleaseMs, failure });
}

/** Why nobody can listen there; undefined when one can. */
function tryListen(address: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", resolve);
    server.listen(port, address, () => server.close(() => resolve(undefined)));
  });
}
