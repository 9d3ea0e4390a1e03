import { KubeConfig } from "@kubernetes/client-node";

export type { KubeConfig };

/** The pod's own service account in a cluster, the user's kubeconfig elsewhere. */
export function loadKubeConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}
