/** A PostgreSQL of its own: a new cluster on loopback, with TLS, run as a user without rights. */
import { chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, tryRun } from "../cluster/command.ts";
import { Child, freePorts } from "../cluster/os/child.ts";
import { ensurePrograms, postgresPrograms as programs, sourcePrograms } from "../cluster/os/host.ts";
import { waitUntil } from "../cluster/progress.ts";
import { makeCertificate } from "./certificate.ts";

/** Debian's user `nobody`: PostgreSQL does not run as root. */
const nobody = 65534;

export interface PostgresServer {
  port: number;
  ca: string;
  username: string;
  password: string;
  /** Runs SQL as the superuser; rows as psql writes them. */
  sql(text: string): Promise<string>;
  /** Where the superuser finds it; its TLS is verified by `ca`. */
  url(database?: string): string;
  kill(): Promise<void>;
  /** With the same data, at the same address. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<PostgresServer> {
  await ensurePrograms(sourcePrograms, () => {});
  const root = await mkdtemp(join(tmpdir(), "lemnis-postgres-"));
  await chown(root, nobody, nobody);
  const asNobody = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", "--"];
  const certificate = await makeCertificate(join(root, "pki"));
  const file = (name: string) => join(root, name);
  const write = async (name: string, content: string) => {
    await writeFile(file(name), content, { mode: 0o600 });
    await chown(file(name), nobody, nobody);
  };
  const [username, password] = ["lemnis", "postgres-test-secret"];
  await write("server.crt", certificate.cert);
  await write("server.key", certificate.key);
  await write("password", password);
  const initdb = ["--auth-host=scram-sha-256", "--auth-local=trust", "--encoding=UTF8", "--no-sync", "--locale=C"];
  const [setpriv = "", ...as] = asNobody;
  await run(setpriv, [
    ...as,
    ...[`${programs}/initdb`, "--pgdata", file("data"), "--username", username, `--pwfile=${file("password")}`],
    ...initdb,
  ]);
  const [port = 0] = await freePorts(1);
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: root,
    ssl: "on",
    ssl_cert_file: file("server.crt"),
    ssl_key_file: file("server.key"),
    fsync: "off",
  };
  const launch = () =>
    Child.start({
      name: "postgres",
      command: setpriv,
      args: [
        ...as,
        ...[`${programs}/postgres`, "-D", file("data")],
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
      logFile: file("postgres.log"),
      isReady: async () =>
        (await tryRun(`${programs}/pg_isready`, ["-q", "-h", root, "-p", String(port)])) !== undefined,
    });
  let child = await launch();
  /** All of its processes are gone then: those that serve connections outlive the first one for a moment, and may still answer. */
  const kill = async () => {
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
    const workers = children.split(" ").filter(Boolean);
    await child.stop("SIGKILL");
    for (const worker of workers) await tryRun("kill", ["-KILL", worker]);
    const stateOf = (worker: string) => readFile(`/proc/${worker}/stat`, "utf8").catch(() => ") Z");
    const areGone = async () => (await Promise.all(workers.map(stateOf))).every((state) => state.includes(") Z"));
    await waitUntil(areGone, { timeoutMs: 10_000, failure: () => new Error("PostgreSQL's processes do not end") });
  };
  return {
    port,
    url: (database = "postgres") => `postgres://${username}:${password}@127.0.0.1:${port}/${database}`,
    kill,
    async restart() {
      if (!child.hasExited) await kill();
      child = await launch();
    },
    ca: certificate.ca,
    username,
    password,
    sql: (text) =>
      run(`${programs}/psql`, ["-h", root, "-p", String(port), "-U", username, "-d", "postgres", "-Atq"], {
        input: `\\set ON_ERROR_STOP on\n${text}\n`,
      }),
    async stop() {
      await child.stop("SIGKILL");
      await rm(root, { recursive: true, force: true });
    },
  };
}
