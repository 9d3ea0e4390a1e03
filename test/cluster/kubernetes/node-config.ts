import { join } from "node:path";
import {
  clusterDomain,
  containerdRoot,
  containerdSocket,
  nodeAddress,
  podBridge,
  podRange,
  ports,
  runDir,
  stateDir,
} from "../layout.ts";

export const pauseImage = "localhost/lemnis-pause:1";
const cniDir = join(stateDir, "cni", "net.d");

/** containerd's configuration, and the CNI network it gives to pods, by path. */
export function containerdFiles(configFile: string): Record<string, string> {
  return {
    [configFile]: containerdConfig(),
    [join(cniDir, "10-lemnis.conflist")]: JSON.stringify(podNetwork(), null, 2),
  };
}

function containerdConfig(): string {
  return `version = 2
root = "${containerdRoot}"
state = "${join(runDir, "containerd")}"

[grpc]
  address = "${containerdSocket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${cniDir}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
      Root = "${join(runDir, "runc")}"
`;
}

function podNetwork() {
  const ipam = {
    type: "host-local",
    dataDir: join(runDir, "addresses"),
    ranges: [[{ subnet: podRange }]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  return {
    cniVersion: "0.4.0",
    name: podBridge,
    plugins: [
      { type: "bridge", bridge: podBridge, isGateway: true, ipMasq: true, hairpinMode: true, ipam },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

/** JSON is YAML, so this is what the kubelet reads. */
export function kubeletConfig({ caFile, resolvFile }: { caFile: string; resolvFile: string }): string {
  const config = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: nodeAddress,
    port: ports.kubelet,
    healthzBindAddress: nodeAddress,
    healthzPort: ports.kubeletHealth,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: caFile } },
    authorization: { mode: "Webhook" },
    clusterDNS: [nodeAddress],
    clusterDomain,
    resolvConf: resolvFile,
    podLogsDir: join(stateDir, "pod-logs"),
    volumePluginDir: join(stateDir, "volume-plugins"),
    // Works on cgroup v1 and v2, with and without systemd.
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    failSwapOn: false,
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    // There is no registry to pull a deleted image from again.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
  };
  return JSON.stringify(config, null, 2);
}

/** Names outside the cluster do not exist for pods: tests never leave the machine. */
export function corefile(kubeconfig: string): string {
  return `${clusterDomain}:${ports.dns} in-addr.arpa:${ports.dns} ip6.arpa:${ports.dns} {
  bind ${nodeAddress}
  errors
  ready ${nodeAddress}:${ports.dnsReady}
  kubernetes ${clusterDomain} in-addr.arpa ip6.arpa {
    kubeconfig ${kubeconfig}
    ttl 1
  }
}
.:${ports.dns} {
  bind ${nodeAddress}
  errors
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}
