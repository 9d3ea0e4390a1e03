import { clusterDomain, serviceRange } from "../layout.ts";
import type { Pki } from "./pki.ts";

const issuer = `https://kubernetes.default.svc.${clusterDomain}`;

/** `--name value` pairs as the command lines of Kubernetes take them. */
export function flags(values: Record<string, string | number | boolean>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

export function etcdArgs({ dataDir, port, peerPort }: { dataDir: string; port: number; peerPort: number }): string[] {
  const client = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  return flags({
    "data-dir": dataDir,
    name: "lemnis",
    "listen-client-urls": client,
    "advertise-client-urls": client,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `lemnis=${peer}`,
    // A test cluster need not survive a power cut, and fsync is most of etcd's time on a slow disk.
    "unsafe-no-fsync": true,
    "log-level": "warn",
  });
}

export interface ApiServerOptions {
  etcdUrl: string;
  address: string;
  port: number;
  pki: Pki;
  /** Address that pods reach the server at; absent when there are no pods, and `kubernetes.default` then has no endpoint. */
  advertise?: string;
  /** Refuse pods whose service account does not exist: needs a controller manager, which makes the default ones. */
  serviceAccountAdmission: boolean;
}

export function apiServerArgs({ etcdUrl, address, port, pki, advertise, serviceAccountAdmission }: ApiServerOptions) {
  return flags({
    "etcd-servers": etcdUrl,
    "bind-address": address,
    "secure-port": port,
    // The server refuses loopback here even when nothing uses it: 192.0.2.0/24 is reserved for documentation.
    "advertise-address": advertise ?? "192.0.2.1",
    ...(advertise ? {} : { "endpoint-reconciler-type": "none" }),
    "tls-cert-file": pki.servingCertFile,
    "tls-private-key-file": pki.servingKeyFile,
    "client-ca-file": pki.caFile,
    "token-auth-file": pki.tokenFile,
    "service-account-issuer": issuer,
    "service-account-signing-key-file": pki.serviceAccountKeyFile,
    "service-account-key-file": pki.serviceAccountKeyFile,
    "api-audiences": issuer,
    "service-cluster-ip-range": serviceRange,
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    ...(serviceAccountAdmission ? {} : { "disable-admission-plugins": "ServiceAccount" }),
    "allow-privileged": true,
    "kubelet-client-certificate": pki.clientCertFile,
    "kubelet-client-key": pki.clientKeyFile,
    "kubelet-preferred-address-types": "InternalIP",
    profiling: false,
  });
}

export interface ControllerManagerOptions {
  kubeconfig: string;
  address: string;
  port: number;
  pki: Pki;
}

export function controllerManagerArgs({ kubeconfig, address, port, pki }: ControllerManagerOptions): string[] {
  return flags({
    kubeconfig,
    "authentication-kubeconfig": kubeconfig,
    "authorization-kubeconfig": kubeconfig,
    "bind-address": address,
    "secure-port": port,
    "leader-elect": false,
    // Its own limit of 20 requests a second makes it take five seconds to start.
    "kube-api-qps": 500,
    "kube-api-burst": 1000,
    "use-service-account-credentials": true,
    "service-account-private-key-file": pki.serviceAccountKeyFile,
    "root-ca-file": pki.caFile,
    "cluster-signing-cert-file": pki.caFile,
    "cluster-signing-key-file": pki.caKeyFile,
    "allocate-node-cidrs": false,
    profiling: false,
  });
}
