import { KubeConfig } from "@kubernetes/client-node";

export type { KubeConfig };

/** The pod's own service account in a cluster, the user's kubeconfig elsewhere. */
export function loadKubeConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}

/** The user's kubeconfig as kubectl reads it, in the named context or the current one. Throws where there is no such context. */
export function loadUserConfig(context: string | undefined): { config: KubeConfig; namespace: string } {
  const config = loadKubeConfig();
  const names = config.getContexts().map(({ name }) => name);
  if (context !== undefined) {
    if (!names.includes(context)) {
      throw new Error(`the kubeconfig has no context "${context}": choose one of ${names.join(", ") || "none"}`);
    }
    config.setCurrentContext(context);
  }
  return { config, namespace: config.getContextObject(config.getCurrentContext())?.namespace || "default" };
}

interface Credentials {
  headers: Record<string, string>;
  /** For the TLS connection. */
  connect: { ca?: Buffer; cert?: Buffer; key?: Buffer; servername?: string; rejectUnauthorized?: boolean };
}

export async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const options: Credentials["connect"] & { headers?: Record<string, string> } = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized, headers = {} } = options;
  return {
    headers,
    connect: {
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
      ...(servername ? { servername } : {}),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
  };
}
