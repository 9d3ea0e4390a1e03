import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { permanent } from "../failure.ts";
import { type Repository, runGit } from "./git-command.ts";
import { startGuardProxy } from "./guard-proxy.ts";
import { basic } from "./http.ts";
import type { Network, SourceContext } from "./network.ts";
import { sshUser } from "./ssh-user.ts";

export interface GitAddress {
  protocol: "https" | "ssh";
  /** Of ssh: whom to log in as. */
  user: string;
  host: string;
  port: number | undefined;
  /** As in a URL, with its first slash. */
  path: string;
}

export interface OpenRepository extends Repository {
  close(): Promise<void>;
}

/** An empty bare repository that can fetch from one address, by the guard's leave. Configuration of the machine and of users counts for nothing. */
export async function openRepository(
  { paths, timing }: SourceContext,
  network: Network,
  address: GitAddress,
): Promise<OpenRepository> {
  const { protocol, user, host, port, path } = address;
  const root = await mkdtemp(join(paths.work, "git-"));
  const folder = join(root, "repository");
  const authority = port === undefined ? host : `${host}:${port}`;
  const url = `${protocol}://${protocol === "ssh" ? `${user}@` : ""}${authority}${path}`;
  let way: Way = { env: {}, close: async () => {} };
  const close = async () => {
    await way.close();
    await rm(root, { recursive: true, force: true });
  };
  try {
    way = await (protocol === "https" ? overHttps : overSsh)(network, address, { root, idle: timing.idle });
    const env = { ...baseEnv(root), ...way.env, GIT_ALLOW_PROTOCOL: protocol };
    const repository = {
      url,
      label: `git+${url}`,
      folder,
      env,
      timeout: timing.transfer,
      refusal: () => way.refusal?.(),
    };
    await runGit({ ...repository, folder: root }, ["init", "--quiet", "--bare", "--template=", folder]);
    return { ...repository, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Way {
  env: Record<string, string>;
  refusal?: OpenRepository["refusal"];
  close(): Promise<void>;
}

function baseEnv(home: string): Record<string, string> {
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: home,
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "/bin/false",
    GIT_NO_LAZY_FETCH: "1",
  };
}

/** Settings by environment, so that none is in an argument that others can list. */
function gitConfig(settings: Record<string, string>): Record<string, string> {
  const entries = Object.entries(settings);
  return Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(entries.length)],
    ...entries.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]);
}

async function overHttps(
  { guard, ca, secret }: Network,
  { host, port = 443 }: GitAddress,
  { root, idle }: { root: string; idle: number },
): Promise<Way> {
  const authorities = join(root, "ca.crt");
  await writeFile(authorities, (ca ?? rootCertificates).join("\n"));
  const token = await secret("token");
  const [username, password] = [await secret("username"), await secret("password")];
  // Hosts take tokens as passwords, whoever the user is said to be.
  const header = token ? basic(username || "x-access-token", token) : username ? basic(username, password) : undefined;
  const proxy = await startGuardProxy(guard, { host: host.replace(/^\[(.*)\]$/, "$1"), port });
  const env = gitConfig({
    "http.proxy": proxy.url,
    "http.sslCAInfo": authorities,
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": String(Math.ceil(idle / 1000)),
    ...(header ? { "http.extraHeader": `Authorization: ${header}` } : {}),
  });
  return { env, refusal: proxy.refusal, close: proxy.close };
}

async function overSsh(
  { guard, secret }: Network,
  { host, port = 22 }: GitAddress,
  { root, idle }: { root: string; idle: number },
): Promise<Way> {
  const [key, knownHosts] = [await secret("ssh-privatekey"), await secret("known_hosts")];
  if (!key || !knownHosts) {
    throw permanent(
      "SourceForbidden",
      "git+ssh:// needs a Secret in secretRef with the keys ssh-privatekey and known_hosts, both not empty",
    );
  }
  const files = { key: join(root, "key"), knownHosts: join(root, "known_hosts") };
  await writeFile(files.key, `${key}\n`, { mode: 0o600 });
  await chmod(files.key, 0o600);
  await writeFile(files.knownHosts, `${knownHosts}\n`);
  const [first] = await guard.resolve(host.replace(/^\[(.*)\]$/, "$1"));
  const options = {
    BatchMode: "yes",
    ClearAllForwardings: "yes",
    ConnectTimeout: "10",
    GlobalKnownHostsFile: "/dev/null",
    // The address that was checked is the one that is connected to; the key is still the name's.
    HostName: first?.address ?? "",
    HostKeyAlias: port === 22 ? host : `[${host.replace(/^\[(.*)\]$/, "$1")}]:${port}`,
    IdentitiesOnly: "yes",
    IdentityAgent: "none",
    ServerAliveCountMax: "1",
    ServerAliveInterval: String(Math.ceil(idle / 1000)),
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: files.knownHosts,
  };
  const words = Object.entries(options).map(([name, value]) => `-o ${name}='${value}'`);
  const command = `ssh -F /dev/null -i '${files.key}' ${words.join(" ")}`;
  const env = { ...(await sshUser(root)), GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: "ssh" };
  return { env, close: async () => {} };
}
