/** The pods that serve a Dataset's newest rows by key, the Service in front of them, and what watches them. */
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { KubeObject } from "../../kube/types.ts";
import { locationOf } from "../children/location.ts";
import { ownerReference } from "../children/owner.ts";
import { agentContainer, agentVolumes, type PodSettings, podFields } from "../children/pod.ts";
import { referencesTo } from "../children/reference.ts";
import { labels, managedBy } from "../labels.ts";

const port = 8080;
/** The Service's port; kube-proxy maps it to the pods'. */
const servicePort = 80;

export function featuresName({ metadata }: Dataset): string {
  return `${metadata.name}-features`;
}

export function featuresUrl(dataset: Dataset): string {
  return `http://${featuresName(dataset)}.${dataset.metadata.namespace}.svc`;
}

function metadataOf(dataset: Dataset): KubeObject["metadata"] {
  return {
    name: featuresName(dataset),
    namespace: dataset.metadata.namespace ?? "",
    labels: { ...managedBy, [labels.dataset]: dataset.metadata.name, [labels.workload]: featuresName(dataset) },
    ownerReferences: [ownerReference(dataset)],
  };
}

/** What rows are looked up by: the manifest's keys, or the columns with that role. */
function keysOf({ online, schema }: Dataset["spec"]): string[] {
  return online?.keys ?? (schema?.columns ?? []).filter(({ role }) => role === "Key").map(({ name }) => name);
}

export function buildFeatureDeployment(dataset: Dataset, settings: PodSettings): KubeObject {
  const { namespace = "", name } = dataset.metadata;
  const { replicas = 1, resources } = dataset.spec.online ?? {};
  const metadata = metadataOf(dataset);
  const { sources, volumes, mounts } = referencesTo([dataset]);
  const source = sources.get(name);
  const task = {
    ...{ verb: "features" as const, namespace, dataset: name, keys: keysOf(dataset.spec), port },
    ...(source ? { location: locationOf(source, settings) } : {}),
  };
  const container = {
    ...agentContainer(settings, task, mounts),
    ...(resources ? { resources } : {}),
    ports: [{ name: "http", containerPort: port, protocol: "TCP" }],
    // As long as a version takes to be fetched and indexed; after that it answers while the next one is.
    startupProbe: { httpGet: { path: "/readyz", port }, periodSeconds: 1, failureThreshold: 1800, timeoutSeconds: 1 },
    readinessProbe: { httpGet: { path: "/readyz", port }, periodSeconds: 5, failureThreshold: 3, timeoutSeconds: 2 },
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas,
      revisionHistoryLimit: 1,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: { [labels.workload]: metadata.name } },
      template: {
        metadata: { labels: metadata.labels },
        // The endpoint is taken away while the pod still answers; then requests under way are finished.
        spec: {
          ...podFields({}),
          terminationGracePeriodSeconds: 30,
          containers: [container],
          volumes: [...agentVolumes, ...volumes],
        },
      },
    },
  } as KubeObject;
}

export function buildFeatureService(dataset: Dataset): KubeObject {
  const metadata = metadataOf(dataset);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      selector: { [labels.workload]: metadata.name },
      ports: [{ name: "http", port: servicePort, targetPort: port, protocol: "TCP" }],
    },
  } as KubeObject;
}

export function buildFeatureMonitor(dataset: Dataset): KubeObject {
  const metadata = metadataOf(dataset);
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "ServiceMonitor",
    metadata,
    spec: {
      selector: { matchLabels: { [labels.workload]: metadata.name } },
      endpoints: [{ port: "http", path: "/metrics" }],
    },
  } as KubeObject;
}
