/** A real API server, a client of it, and a kind of its own to play with. */
import { KubeConfig } from "@kubernetes/client-node";
import { KubeClient } from "../../../operator/kube/client.ts";
import { customResourceDefinitions } from "../../../operator/kube/resources.ts";
import type { KubeObject, Resource } from "../../../operator/kube/types.ts";
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

/** A kind that is there only when a test makes it. */
export const things: Resource = {
  ...{ group: "example.com", version: "v1", kind: "Thing", plural: "things", namespaced: true },
};

export interface Thing extends KubeObject {
  spec?: object;
  status?: object | undefined;
}

export function thing(name: string, spec: object = {}): Thing {
  return { apiVersion: "example.com/v1", kind: "Thing", metadata: { name, namespace }, spec };
}

/** Makes the kind; its path answers a moment later. */
export function defineThings(client: KubeClient): Promise<KubeObject> {
  const { group, version, kind, plural } = things;
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const schema = { openAPIV3Schema: { type: "object", properties: { spec: anything, status: anything } } };
  const definition = {
    ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
    metadata: { name: `${plural}.${group}` },
    spec: {
      ...{ group, scope: "Namespaced", names: { kind, plural, singular: "thing" } },
      versions: [{ name: version, served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
  return client.create(customResourceDefinitions, definition);
}
