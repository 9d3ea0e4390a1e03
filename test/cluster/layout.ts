import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Name of the kubeconfig's context, cluster and user, and of the one node. */
export const clusterName = "lemnis-local";

/**
 * Address of the bridge that `up` makes. The API server, the kubelet and DNS listen on it: pods reach it, other machines do not,
 * and it leaves 127.0.0.1's ports to whatever else runs here. Programs that pods should reach (an S3 server, say) can bind to it.
 */
export const nodeAddress = "10.84.0.1";
export const podRange = "10.85.0.0/16";
export const serviceRange = "10.86.0.0/16";
/** The `kubernetes.default` Service: always the first address of the range. */
export const apiServiceAddress = "10.86.0.1";
export const clusterDomain = "cluster.local";

export const nodeBridge = "lemnis-node";
export const podBridge = "lemnis-pods";

export const ports = {
  etcd: 12379,
  etcdPeer: 12380,
  apiServer: 6443,
  kubelet: 10250,
  kubeletHealth: 10248,
  controllerManager: 10257,
  scheduler: 10259,
  proxyHealth: 10256,
  proxyMetrics: 10249,
  dns: 53,
  dnsReady: 8181,
} as const;

export const apiServerUrl = `https://${nodeAddress}:${ports.apiServer}`;

/** Folder of what is expensive to make and safe to keep: binaries, base images, image archives. Survives `down`. */
export function cacheDir(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return process.env.LEMNIS_CACHE || join(base, "lemnis");
}

/** Folder of the running cluster: certificates, etcd's data, containers, logs. `down` deletes it. */
export const stateDir = "/var/lib/lemnis-cluster";
export const kubeconfigPath = join(stateDir, "kubeconfig");
export const logDir = join(stateDir, "logs");
export const pidDir = join(stateDir, "pids");
export const pkiDir = join(stateDir, "pki");
export const volumeDir = join(stateDir, "volumes");
export const containerdRoot = join(stateDir, "containerd");
export const kubeletRoot = join(stateDir, "kubelet");
/** Sockets, mounts and containers that run: what a reboot ends. */
export const runDir = "/run/lemnis-cluster";
export const containerdSocket = join(runDir, "containerd.sock");
/** Outside both folders, so that it outlives a `down` that another `up` waits for. */
export const clusterLock = "/run/lock/lemnis-cluster.lock";

/** Folder of the Go modules that pin each tool. */
export const toolsDir = fileURLToPath(new URL("tools", import.meta.url));
