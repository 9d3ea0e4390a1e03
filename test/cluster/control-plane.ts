import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiServerArgs, controllerManagerArgs, etcdArgs } from "./kubernetes/control-plane-args.ts";
import { acceptsPods } from "./kubernetes/health.ts";
import { buildKubeconfig, type Kubeconfig, writeKubeconfig } from "./kubernetes/kubeconfig.ts";
import { ensurePki, type Pki } from "./kubernetes/pki.ts";
import { Child, freePorts } from "./os/child.ts";
import { isHealthy } from "./os/http.ts";
import { type LogOptions, silent, waitUntil } from "./progress.ts";
import { binary } from "./tools.ts";

export interface ControlPlaneOptions extends LogOptions {
  /** Folder for data and logs, kept by `stop`. Default: a temporary one, which `stop` deletes. */
  dir?: string;
  /** Also run kube-controller-manager: Jobs, Deployments, garbage collection, default service accounts. Default false. */
  controllerManager?: boolean;
  /** Done before the controller manager starts: it looks for new kinds, to collect what their objects owned, every 30 s only. */
  prepare?: (apiServer: ApiServer) => Promise<void>;
}

/** One API server: how to reach it and how to hurt it. */
export interface ApiServer {
  url: string;
  /** Path of a kubeconfig of a cluster administrator. */
  kubeconfig: string;
  kubeconfigObject: Kubeconfig;
  pid: number;
  /** Kills it (SIGKILL). Its address stays reserved for `restart` only by convention. */
  kill(): Promise<void>;
  /** Kills it if it runs, starts it on the same port and waits until it is ready. */
  restart(): Promise<void>;
}

export interface ControlPlane extends Omit<ApiServer, "pid" | "kill" | "restart"> {
  etcdUrl: string;
  dir: string;
  pids: () => Record<string, number>;
  /** A cluster administrator's bearer token, the same for every API server of this control plane. */
  token: string;
  caFile: string;
  killApiServer(): Promise<void>;
  restartApiServer(): Promise<void>;
  /** Another API server on the same etcd, or on a proxy in front of it. `stop` ends it too. */
  addApiServer(options?: { etcdUrl?: string }): Promise<ApiServer>;
  stop(): Promise<void>;
}

/**
 * Starts etcd and kube-apiserver, and kube-controller-manager when asked, on free loopback ports: a real Kubernetes API without
 * nodes. Any number may run at once, and each dies with the process that started it. Without a controller manager pods need no
 * service account, as nothing makes one.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(options);
    } catch (error) {
      // Another process took a free port between our look and our use of it.
      if (attempt === 3 || !(error instanceof Error && error.message.includes("address already in use"))) throw error;
    }
  }
}

async function start({
  dir: given,
  controllerManager = false,
  prepare = async () => {},
  log = silent,
}: ControlPlaneOptions): Promise<ControlPlane> {
  const dir = given ?? mkdtempSync(join(tmpdir(), "lemnis-control-plane-"));
  mkdirSync(dir, { recursive: true });
  const children = new Set<Child>();
  const stop = async () => {
    await Promise.all([...children].reverse().map((child) => child.stop("SIGKILL")));
    children.clear();
    if (!given) rmSync(dir, { recursive: true, force: true });
  };
  try {
    const pki = await ensurePki(join(dir, "pki"), ["127.0.0.1"]);
    const etcd = await startEtcd(dir, children, { log });
    const servers = { dir, pki, children, log, serviceAccountAdmission: controllerManager };
    const first = await startApiServer(servers, "kube-apiserver", etcd.url);
    await prepare(first);
    if (controllerManager) await startControllerManager(servers, first.url);
    let added = 0;
    return {
      url: first.url,
      kubeconfig: first.kubeconfig,
      kubeconfigObject: first.kubeconfigObject,
      etcdUrl: etcd.url,
      dir,
      token: pki.tokens.admin,
      caFile: pki.caFile,
      pids: () => Object.fromEntries([...children].map((child) => [child.name, child.pid])),
      killApiServer: () => first.kill(),
      restartApiServer: () => first.restart(),
      addApiServer: ({ etcdUrl = etcd.url } = {}) => startApiServer(servers, `kube-apiserver-${++added}`, etcdUrl),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startEtcd(dir: string, children: Set<Child>, options: LogOptions): Promise<{ url: string }> {
  const [port = 0, peerPort = 0] = await freePorts(2);
  const url = `http://127.0.0.1:${port}`;
  children.add(
    await Child.start({
      name: "etcd",
      command: await binary("etcd", options),
      args: etcdArgs({ dataDir: join(dir, "etcd"), port, peerPort }),
      logFile: join(dir, "logs", "etcd.log"),
      isReady: () => isHealthy(`${url}/readyz`),
    }),
  );
  return { url };
}

interface Servers {
  dir: string;
  pki: Pki;
  children: Set<Child>;
  log: (message: string) => void;
  serviceAccountAdmission: boolean;
}

async function startApiServer(servers: Servers, name: string, etcdUrl: string): Promise<ApiServer> {
  const { dir, pki, children, log, serviceAccountAdmission } = servers;
  const [port = 0] = await freePorts(1);
  const url = `https://127.0.0.1:${port}`;
  const command = await binary("kube-apiserver", { log });
  const kubeconfig = join(dir, `${name}.kubeconfig`);
  const kubeconfigObject = buildKubeconfig({ server: url, caFile: pki.caFile, token: pki.tokens.admin });
  writeKubeconfig(kubeconfig, kubeconfigObject);
  const launch = async () => {
    const child = await Child.start({
      name,
      command,
      args: apiServerArgs({ etcdUrl, address: "127.0.0.1", port, pki, serviceAccountAdmission }),
      logFile: join(dir, "logs", `${name}.log`),
      isReady: () => isHealthy(`${url}/readyz`),
    });
    children.add(child);
    return child;
  };
  let current = await launch();
  const kill = async () => {
    await current.stop("SIGKILL");
    children.delete(current);
  };
  const restart = async () => {
    await kill();
    current = await launch();
  };
  return {
    url,
    kubeconfig,
    kubeconfigObject,
    get pid() {
      return current.pid;
    },
    kill,
    restart,
  };
}

async function startControllerManager({ dir, pki, children, log }: Servers, server: string): Promise<void> {
  const [port = 0] = await freePorts(1);
  const kubeconfig = join(dir, "kube-controller-manager.kubeconfig");
  const token = pki.tokens["kube-controller-manager"];
  writeKubeconfig(kubeconfig, buildKubeconfig({ server, caFile: pki.caFile, token }));
  children.add(
    await Child.start({
      name: "kube-controller-manager",
      command: await binary("kube-controller-manager", { log }),
      args: controllerManagerArgs({ kubeconfig, address: "127.0.0.1", port, pki }),
      logFile: join(dir, "logs", "kube-controller-manager.log"),
      isReady: () => isHealthy(`https://127.0.0.1:${port}/healthz`),
    }),
  );
  await waitUntil(() => acceptsPods(server, pki.tokens.admin), {
    timeoutMs: 120_000,
    failure: () => new Error("kube-controller-manager made no default service account within two minutes"),
  });
}
