/** How to reach the API server, and who we are there. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

interface RequestOptions {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  headers?: Record<string, string>;
}

/** What of client-node's KubeConfig is used. */
export interface KubeConfig {
  getCurrentCluster(): { server: string } | null;
  /** Adds certificates and headers as they are now. */
  applyToHTTPSOptions(options: RequestOptions): Promise<void>;
}

export interface ConfigInput {
  /** Where Kubernetes tells a pod that its API server is; undefined elsewhere. */
  pod: { host: string; port: string; serviceAccountDir: string } | undefined;
}

/** The pod's own service account in a cluster, the user's kubeconfig elsewhere. */
export async function loadKubeConfig({ pod }: ConfigInput): Promise<KubeConfig> {
  if (pod) return podConfig(pod);
  return loadKubeconfigFile();
}

/** What client-node takes where there is no kubeconfig and no pod. */
const nowhere = "http://localhost:8080";

/** The user's kubeconfig as kubectl reads it, in the named context or the current one. Throws where there is none. */
export async function loadUserConfig(context: string | undefined): Promise<{ config: KubeConfig; namespace: string }> {
  const config = await loadKubeconfigFile();
  if (config.getCurrentCluster()?.server === nowhere) {
    throw new Error("there is no kubeconfig: write one to ~/.kube/config, or name it in KUBECONFIG");
  }
  const names = config.getContexts().map(({ name }) => name);
  if (context !== undefined) {
    if (!names.includes(context)) {
      throw new Error(`the kubeconfig has no context "${context}": choose one of ${names.join(", ") || "none"}`);
    }
    config.setCurrentContext(context);
  }
  return { config, namespace: config.getContextObject(config.getCurrentContext())?.namespace || "default" };
}

async function loadKubeconfigFile() {
  // The library knows every way to log in that a kubeconfig can name. In a pod its generated code is 30 MB for nothing.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}

function podConfig({ host, port, serviceAccountDir }: NonNullable<ConfigInput["pod"]>): KubeConfig {
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    getCurrentCluster: () => ({ server }),
    async applyToHTTPSOptions(options) {
      options.ca = await readFile(join(serviceAccountDir, "ca.crt"));
      // The kubelet replaces it as it ages.
      const token = await readFile(join(serviceAccountDir, "token"), "utf8");
      options.headers = { ...options.headers, authorization: `Bearer ${token.trim()}` };
    },
  };
}
