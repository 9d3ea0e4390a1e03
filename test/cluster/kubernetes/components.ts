import { join } from "node:path";
import { tryRun } from "../command.ts";
import {
  apiServerUrl,
  clusterName,
  containerdSocket,
  kubeletRoot,
  nodeAddress,
  podRange,
  ports,
  stateDir,
} from "../layout.ts";
import type { DaemonSpec } from "../os/daemon.ts";
import { isHealthy } from "../os/http.ts";
import type { ToolName } from "../tools.ts";
import { apiServerArgs, controllerManagerArgs, etcdArgs, flags } from "./control-plane-args.ts";
import { containerdFiles, corefile, kubeletConfig } from "./node-config.ts";
import type { Identity, Pki } from "./pki.ts";

/** Programs that the cluster runs, or that `up` needs. */
export const clusterTools = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
  "coredns",
  "pause",
] as const satisfies ToolName[];
export type ClusterTool = (typeof clusterTools)[number];

/** One process of the cluster. */
export interface Component extends DaemonSpec {
  /** What it listens on, to find out beforehand who else does. */
  listens: { address: string; port: number }[];
  isReady: () => Promise<boolean>;
}

export interface ComponentInputs {
  pki: Pki;
  binaries: Record<ClusterTool, string>;
  /** Path of an identity's kubeconfig. */
  kubeconfig: (identity: Identity) => string;
}

/** Processes that run without each other: a later wave starts when the one before is ready. */
export type Wave = "store" | "api" | "runtime" | "node";

/** Every process of the cluster, in the order of starting. */
export function components(inputs: ComponentInputs): Record<Wave, Component[]> {
  return {
    store: [etcd(inputs)],
    api: [apiServer(inputs)],
    runtime: [containerd(), controllerManager(inputs), scheduler(inputs)],
    // kube-proxy looks for its node and waits half a minute when there is none yet.
    node: [kubelet(inputs), proxy(inputs), coredns(inputs)],
  };
}

/** Names in the order of ending: who starts containers first, the store last. */
export const componentNames = [
  "kubelet",
  "coredns",
  "kube-proxy",
  "kube-scheduler",
  "kube-controller-manager",
  "containerd",
  "kube-apiserver",
  "etcd",
] as const;

function onBridge(...numbers: number[]) {
  return numbers.map((port) => ({ address: nodeAddress, port }));
}

function etcd({ binaries }: ComponentInputs): Component {
  return {
    name: "etcd",
    command: binaries.etcd,
    args: etcdArgs({ dataDir: join(stateDir, "etcd"), port: ports.etcd, peerPort: ports.etcdPeer }),
    // On loopback: pods must not reach it, as it asks for no credentials.
    listens: [ports.etcd, ports.etcdPeer].map((port) => ({ address: "127.0.0.1", port })),
    isReady: () => isHealthy(`http://127.0.0.1:${ports.etcd}/readyz`),
  };
}

function apiServer({ binaries, pki }: ComponentInputs): Component {
  return {
    name: "kube-apiserver",
    command: binaries["kube-apiserver"],
    args: apiServerArgs({
      etcdUrl: `http://127.0.0.1:${ports.etcd}`,
      address: nodeAddress,
      port: ports.apiServer,
      pki,
      advertise: nodeAddress,
      serviceAccountAdmission: true,
    }),
    listens: onBridge(ports.apiServer),
    isReady: () => isHealthy(`${apiServerUrl}/readyz`),
  };
}

function controllerManager({ binaries, pki, kubeconfig }: ComponentInputs): Component {
  const address = { address: nodeAddress, port: ports.controllerManager };
  return {
    name: "kube-controller-manager",
    command: binaries["kube-controller-manager"],
    args: controllerManagerArgs({ kubeconfig: kubeconfig("kube-controller-manager"), pki, ...address }),
    listens: [address],
    isReady: () => isHealthy(`https://${nodeAddress}:${ports.controllerManager}/healthz`),
  };
}

function scheduler({ binaries, kubeconfig }: ComponentInputs): Component {
  const own = kubeconfig("kube-scheduler");
  return {
    name: "kube-scheduler",
    command: binaries["kube-scheduler"],
    args: flags({
      kubeconfig: own,
      "authentication-kubeconfig": own,
      "authorization-kubeconfig": own,
      "bind-address": nodeAddress,
      "secure-port": ports.scheduler,
      "leader-elect": false,
    }),
    listens: onBridge(ports.scheduler),
    isReady: () => isHealthy(`https://${nodeAddress}:${ports.scheduler}/healthz`),
  };
}

function containerd(): Component {
  const config = join(stateDir, "containerd.toml");
  return {
    name: "containerd",
    command: "containerd",
    args: ["--config", config],
    files: containerdFiles(config),
    listens: [],
    isReady: async () => (await tryRun("ctr", ["--address", containerdSocket, "version"])) !== undefined,
  };
}

function proxy({ binaries, kubeconfig }: ComponentInputs): Component {
  return {
    name: "kube-proxy",
    command: binaries["kube-proxy"],
    args: flags({
      kubeconfig: kubeconfig("kube-proxy"),
      "proxy-mode": "iptables",
      "cluster-cidr": podRange,
      "hostname-override": clusterName,
      "conntrack-max-per-core": 0,
      // Else node ports are open to the whole network.
      "nodeport-addresses": `${nodeAddress}/32`,
      "healthz-bind-address": `${nodeAddress}:${ports.proxyHealth}`,
      "metrics-bind-address": `${nodeAddress}:${ports.proxyMetrics}`,
    }),
    listens: onBridge(ports.proxyHealth, ports.proxyMetrics),
    isReady: () => isHealthy(`http://${nodeAddress}:${ports.proxyHealth}/livez`),
  };
}

function kubelet({ binaries, pki, kubeconfig }: ComponentInputs): Component {
  const config = join(stateDir, "kubelet.yaml");
  const resolvFile = join(stateDir, "resolv.conf");
  return {
    name: "kubelet",
    command: binaries.kubelet,
    args: flags({
      config,
      kubeconfig: kubeconfig("kubelet"),
      "root-dir": kubeletRoot,
      "cert-dir": join(kubeletRoot, "pki"),
      "hostname-override": clusterName,
      "node-ip": nodeAddress,
    }),
    // An empty resolv.conf: the machine's search domains would send pods' lookups out of the cluster.
    files: { [config]: kubeletConfig({ caFile: pki.caFile, resolvFile }), [resolvFile]: "" },
    listens: onBridge(ports.kubelet, ports.kubeletHealth),
    isReady: () => isHealthy(`http://${nodeAddress}:${ports.kubeletHealth}/healthz`),
  };
}

function coredns({ binaries, kubeconfig }: ComponentInputs): Component {
  const config = join(stateDir, "Corefile");
  return {
    name: "coredns",
    command: binaries.coredns,
    args: ["-conf", config],
    files: { [config]: corefile(kubeconfig("coredns")) },
    listens: onBridge(ports.dns, ports.dnsReady),
    isReady: () => isHealthy(`http://${nodeAddress}:${ports.dnsReady}/ready`),
  };
}
