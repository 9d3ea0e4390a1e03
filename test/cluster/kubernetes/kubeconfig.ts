import { readFileSync, writeFileSync } from "node:fs";
import { dump } from "js-yaml";
import { clusterName } from "../layout.ts";

export interface KubeconfigInput {
  server: string;
  caFile: string;
  token: string;
}

/** The parts of a kubeconfig that this module writes. */
export interface Kubeconfig {
  apiVersion: "v1";
  kind: "Config";
  "current-context": string;
  clusters: { name: string; cluster: { server: string; "certificate-authority-data": string } }[];
  users: { name: string; user: { token: string } }[];
  contexts: { name: string; context: { cluster: string; user: string } }[];
}

/** A kubeconfig with one context, complete in itself: the CA is inlined. */
export function buildKubeconfig({ server, caFile, token }: KubeconfigInput): Kubeconfig {
  const name = clusterName;
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server, "certificate-authority-data": readFileSync(caFile).toString("base64") } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
}

export function writeKubeconfig(path: string, kubeconfig: Kubeconfig): void {
  writeFileSync(path, dump(kubeconfig), { mode: 0o600 });
}
