/** A real API server that knows our kinds, with a store and the operator as processes: no nodes. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { buildCrd } from "../../operator/api/crd.ts";
import { apiVersion, group, version } from "../../operator/api/v1alpha1/common.ts";
import { kinds } from "../../operator/api/v1alpha1/index.ts";
import { KubeClient } from "../../operator/kube/client.ts";
import { customResourceDefinitions } from "../../operator/kube/resources.ts";
import type { KubeObject, Resource } from "../../operator/kube/types.ts";
import { servingRuntime, trainingRuntime } from "../builders/kinds.ts";
import { type ControlPlane, startControlPlane } from "../cluster/control-plane.ts";
import { waitUntil } from "../cluster/progress.ts";
import { OperatorProcess, type OperatorProcessOptions } from "./operator.ts";
import { type StoreProcess, startStore } from "./store.ts";

const builtIn: Record<string, readonly [string, string, string]> = {
  Namespace: ["", "v1", "namespaces"],
  Pod: ["", "v1", "pods"],
  Service: ["", "v1", "services"],
  ConfigMap: ["", "v1", "configmaps"],
  Secret: ["", "v1", "secrets"],
  Event: ["events.k8s.io", "v1", "events"],
  Lease: ["coordination.k8s.io", "v1", "leases"],
  Job: ["batch", "v1", "jobs"],
  Deployment: ["apps", "v1", "deployments"],
  HorizontalPodAutoscaler: ["autoscaling", "v2", "horizontalpodautoscalers"],
  PodDisruptionBudget: ["policy", "v1", "poddisruptionbudgets"],
};

export function resourceOf(kind: string): Resource {
  const own = kinds.find((candidate) => candidate.kind === kind);
  if (own) return { group, version, kind, plural: own.plural, namespaced: own.scope === "Namespaced" };
  const found = builtIn[kind];
  if (!found) throw new Error(`the rig does not know the kind ${kind}`);
  return { group: found[0], version: found[1], kind, plural: found[2], namespaced: kind !== "Namespace" };
}

/** The kind that a path names. */
export function resourceOfPlural(plural: string): Resource {
  const names = [...kinds.map(({ kind }) => kind), ...Object.keys(builtIn)];
  const found = names.map(resourceOf).find((resource) => resource.plural === plural);
  if (!found) throw new Error(`the rig does not know ${plural}`);
  return found;
}

export interface Rig {
  plane: ControlPlane;
  client: KubeClient;
  storeUrl: string;
  store: StoreProcess;
  startOperator(options?: Partial<OperatorProcessOptions>): Promise<OperatorProcess>;
  makeNamespace(name: string): Promise<void>;
  stop(): Promise<void>;
}

export function clientOf(kubeconfig: string): KubeClient {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return new KubeClient(config, { deadlineMs: 60_000 });
}

async function define(client: KubeClient): Promise<void> {
  for (const kind of kinds) await client.create(customResourceDefinitions, buildCrd(kind) as unknown as KubeObject);
  await client.close();
}

interface RigOptions {
  controllerManager?: boolean;
  /** Where the store keeps its data. Default: beside the API server's. */
  storeDir?: string;
}

export async function startRig({ controllerManager = false, storeDir }: RigOptions = {}): Promise<Rig> {
  const plane = await startControlPlane({
    controllerManager,
    prepare: ({ kubeconfig }) => define(clientOf(kubeconfig)),
  });
  const client = clientOf(plane.kubeconfig);
  const store = await startStore(storeDir ?? join(plane.dir, "store"), plane.dir);
  const storeUrl = store.url;
  const tokenFile = join(plane.dir, "store-token");
  await writeFile(tokenFile, "lemnis-system:lemnis");
  for (const runtime of [servingRuntime, trainingRuntime]) {
    const object = { ...runtime, apiVersion } as unknown as KubeObject;
    await waitUntil(
      () =>
        client.apply(resourceOf(runtime.kind), object, { manager: "helm" }).then(
          () => true,
          () => false,
        ),
      {
        ...{ timeoutMs: 120_000, failure: () => new Error(`the kind ${runtime.kind} is not served`) },
      },
    );
  }
  const operators: OperatorProcess[] = [];
  return {
    ...{ plane, client, storeUrl, store },
    async startOperator(options = {}) {
      const { kubeconfig, dir } = plane;
      const operator = await OperatorProcess.start({ ...{ kubeconfig, dir, storeUrl, tokenFile }, ...options });
      operators.push(operator);
      return operator;
    },
    async makeNamespace(name) {
      await client.create(resourceOf("Namespace"), { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    },
    async stop() {
      await Promise.all(operators.map((operator) => operator.stop("SIGKILL")));
      await store.kill();
      await client.close();
      await plane.stop();
    },
  };
}
