/** A real API server, a client of it, and a kind of its own to play with. */
import { KubeConfig } from "@kubernetes/client-node";
import { KubeClient } from "../../../operator/kube/client.ts";
import type { KubeObject } from "../../../operator/kube/types.ts";
import { type ApiServer, type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";

export const namespace = "default";

export function clientOf(
  server: Pick<ApiServer, "kubeconfig">,
  options: ConstructorParameters<typeof KubeClient>[1] = {},
) {
  const config = new KubeConfig();
  config.loadFromFile(server.kubeconfig);
  return new KubeClient(config, options);
}

export interface World {
  plane: ControlPlane;
  client: KubeClient;
  /** How many requests of each verb the client has sent. */
  calls: Record<string, number>;
  stop(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const plane = await startControlPlane();
  const calls: Record<string, number> = {};
  const client = clientOf(plane, {
    onRequest: ({ verb }) => {
      calls[verb] = (calls[verb] ?? 0) + 1;
    },
  });
  return {
    ...{ plane, client, calls },
    async stop() {
      await client.close();
      await plane.stop();
    },
  };
}

export function configMap(
  name: string,
  data: Record<string, string> = {},
): KubeObject & { data: Record<string, string> } {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data };
}
