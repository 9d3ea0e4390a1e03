/** The whole operator and a real store on a real API server with its controllers; `Player` stands in for nodes and agents. */
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { load } from "js-yaml";
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, vi } from "vitest";
import { buildCrd } from "../../../operator/api/crd.ts";
import { apiVersion, group, version } from "../../../operator/api/v1alpha1/common.ts";
import { kinds } from "../../../operator/api/v1alpha1/index.ts";
import { KubeClient } from "../../../operator/kube/client.ts";
import { customResourceDefinitions } from "../../../operator/kube/resources.ts";
import type { KubeObject, Resource } from "../../../operator/kube/types.ts";
import { runOperator } from "../../../operator/operator.ts";
import { StoreClient } from "../../../operator/store/client.ts";
import { startStore } from "../../../operator/store/server.ts";
import { servingRuntime, trainingRuntime } from "../../builders/kinds.ts";
import { startControlPlane } from "../../cluster/control-plane.ts";
import { type ProjectKind, projectCrd } from "../../cluster/project-crds.ts";
import { Player } from "../../rig/player.ts";

const system = "kube-system";

/** An object of any kind, as far as these tests look into it. */
export interface Seen extends KubeObject {
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect
  [member: string]: any;
}

export interface RunningOperator {
  /** Requests of the operator that wrote something, the Lease's aside. */
  writes(): Promise<number>;
  /** Reconciles that ended in an error, by its class. */
  errors(): Promise<Record<string, number>>;
  isLeader(): Promise<boolean>;
  stop(): Promise<void>;
}

export type World = Awaited<ReturnType<typeof startWorld>>;

const namespaces: Resource = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
};

export async function startWorld() {
  const plane = await startControlPlane({ controllerManager: true });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(plane.kubeconfig);
  const client = new KubeClient(kubeConfig);
  for (const kind of kinds) await client.create(customResourceDefinitions, buildCrd(kind) as unknown as KubeObject);
  const registry = new Registry();
  const store = await startStore({
    ...{ dataDir: join(plane.dir, "store"), host: "127.0.0.1", port: 0, operatorIdentity: `${system}/lemnis` },
    ...{ logger: pino({ level: "silent" }), registry },
    review: async (token) => ({ authenticated: true, username: `system:serviceaccount:${token}` }),
  });
  const tokenFile = join(plane.dir, "store-token");
  await writeFile(tokenFile, `${system}:lemnis`);
  const player = new Player(client, store.url);
  const operators = new Set<RunningOperator>();
  const stores: StoreClient[] = [];
  const world = {
    ...{ plane, client, player },
    /** The store as pods of this namespace see it. */
    storeOf(namespace: string): StoreClient {
      const opened = new StoreClient({ url: store.url, token: async () => `${namespace}:default`, tries: 1 });
      stores.push(opened);
      return opened;
    },
    /** How many requests the store has answered. */
    async storeRequests(): Promise<number> {
      const { values } = (await registry.getSingleMetric("lemnis_store_request_duration_seconds")?.get()) ?? {
        values: [],
      };
      return values
        .filter((value) => "metricName" in value && String(value.metricName).endsWith("_count"))
        .reduce((sum, { value }) => sum + value, 0);
    },
    async startOperator(name = "lemnis-0"): Promise<RunningOperator> {
      const operator = await startOperator({ kubeConfig, storeUrl: store.url, tokenFile, name });
      operators.add(operator);
      return operator;
    },
    /** Applies objects of one namespace as a user would, in this order. */
    async apply(namespace: string, ...objects: (Omit<Seen, "apiVersion"> & { apiVersion?: string })[]): Promise<void> {
      for (const object of objects) {
        const resource = resourceOf(object.kind);
        const metadata = { ...object.metadata, ...(resource.namespaced ? { namespace } : {}) };
        const body = { apiVersion, ...object, metadata } as KubeObject;
        await vi.waitFor(() => client.apply(resource, body, { manager: "kubectl" }), {
          timeout: 10_000,
          interval: 200,
        });
      }
    },
    get: (namespace: string, kind: string, name: string) => client.get<Seen>(resourceOf(kind), namespace, name),
    async list(namespace: string, kind: string): Promise<Seen[]> {
      const { items } = await client.list<Seen>(resourceOf(kind), {});
      return items.filter(({ metadata }) => metadata.namespace === namespace);
    },
    /** Waits until the object is as asked; the failure shows its status. */
    async until(namespace: string, kind: string, name: string, is: (object: Seen) => boolean): Promise<Seen> {
      return vi.waitFor(
        async () => {
          const object = await client.get<Seen>(resourceOf(kind), namespace, name);
          if (!is(object)) throw new Error(`${kind} ${name}: ${JSON.stringify(object.status, null, 1)}`);
          return object;
        },
        { timeout: 30_000, interval: 100 },
      );
    },
    async makeNamespace(name: string): Promise<string> {
      await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
      return name;
    },
    /** Another project's kind comes to the cluster. */
    async install(kind: ProjectKind): Promise<void> {
      await client.create(customResourceDefinitions, load(await projectCrd(kind)) as KubeObject);
    },
    /** It goes, and its objects with it. */
    async uninstall(kind: ProjectKind): Promise<void> {
      const { group: of, plural } = resourceOf(kind);
      const name = `${plural}.${of}`;
      const { metadata } = await client.getMetadata(customResourceDefinitions, undefined, name);
      await client.delete(customResourceDefinitions, { name, uid: metadata.uid ?? "" });
      const gone = () => expect(client.getMetadata(customResourceDefinitions, undefined, name)).rejects.toThrow(/404/);
      await vi.waitFor(gone, { timeout: 20_000, interval: 100 });
    },
    async stop(): Promise<void> {
      for (const operator of operators) await operator.stop();
      await player.stop();
      for (const opened of stores) await opened.close();
      await store.close();
      await client.close();
      await plane.stop();
    },
  };
  return world;
}

/** An operator in this process; stopping it releases its Lease. */
async function startOperator(input: {
  kubeConfig: KubeConfig;
  storeUrl: string;
  tokenFile: string;
  name: string;
}): Promise<RunningOperator> {
  const port = await freePort();
  const stop = new AbortController();
  const running = runOperator({
    kubeConfig: input.kubeConfig,
    settings: {
      ...{ LEMNIS_STORE_URL: input.storeUrl, LEMNIS_STORE_TOKEN_FILE: input.tokenFile, LEMNIS_AGENT_IMAGE: "lemnis:1" },
      ...{ LEMNIS_AGENT_IMAGE_PULL_POLICY: "IfNotPresent", POD_NAMESPACE: system, POD_NAME: input.name },
      ...{ LEMNIS_LOG_LEVEL: "error", LEMNIS_METRICS_PORT: port, LEMNIS_DRAIN_SECONDS: 1, LEMNIS_RELIST_SECONDS: 1800 },
      ...{ KUBERNETES_SERVICE_PORT: "443", LEMNIS_SERVICE_ACCOUNT_DIR: "" },
      ...{ LEMNIS_WEBHOOK_PORT: 0, LEMNIS_DENIED_RANGES: [] },
    },
    logger: pino({ level: "fatal" }),
    signal: stop.signal,
    onLost: () => {
      throw new Error("the lease was lost");
    },
  });
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await vi.waitFor(
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      if (!answer.ok) throw new Error(await answer.text());
    },
    { timeout: 30_000 },
  );
  const sum = async (series: RegExp) => {
    const lines = (await metrics()).split("\n").filter((line) => series.test(line));
    return lines.reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
  };
  return {
    writes: () => sum(/^lemnis_api_requests_total\{(?!.*(verb="(get|list|watch)"|resource="leases"))/),
    async errors() {
      const series = /^lemnis_reconcile_errors_total\{.*class="(\w+)"\} (\d+)$/gm;
      return Object.fromEntries(
        [...(await metrics()).matchAll(series)].map(([, is = "", count]) => [is, Number(count)]),
      );
    },
    isLeader: async () => /^lemnis_leader 1$/m.test(await metrics()),
    async stop() {
      stop.abort();
      await running;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const builtIn: Record<string, [string, string, string]> = {
  Job: ["batch", "v1", "jobs"],
  Deployment: ["apps", "v1", "deployments"],
  Pod: ["", "v1", "pods"],
  Service: ["", "v1", "services"],
  ConfigMap: ["", "v1", "configmaps"],
  ResourceQuota: ["", "v1", "resourcequotas"],
  Event: ["events.k8s.io", "v1", "events"],
  ServiceMonitor: ["monitoring.coreos.com", "v1", "servicemonitors"],
  LocalQueue: ["kueue.x-k8s.io", "v1beta2", "localqueues"],
  GitRepository: ["source.toolkit.fluxcd.io", "v1", "gitrepositories"],
  HTTPRoute: ["gateway.networking.k8s.io", "v1", "httproutes"],
  ScaledObject: ["keda.sh", "v1alpha1", "scaledobjects"],
  PrometheusRule: ["monitoring.coreos.com", "v1", "prometheusrules"],
  HorizontalPodAutoscaler: ["autoscaling", "v2", "horizontalpodautoscalers"],
  PodDisruptionBudget: ["policy", "v1", "poddisruptionbudgets"],
};

export function resourceOf(kind: string): Resource {
  const own = kinds.find((candidate) => candidate.kind === kind);
  if (own) return { group, version, kind, plural: own.plural, namespaced: own.scope === "Namespaced" };
  const [apiGroup, apiVersion, plural] = builtIn[kind] ?? ["", "", ""];
  return { group: apiGroup, version: apiVersion, kind, plural, namespaced: true };
}

/** The runtimes that the chart would bring. */
export const runtimes = [servingRuntime, trainingRuntime] as unknown as Seen[];
