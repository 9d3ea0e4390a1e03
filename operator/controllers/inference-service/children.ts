/** What an InferenceService is made of. Pure: objects as they should be. */
import { paths, type StageTask } from "../../agent/tasks.ts";
import type { InferenceService } from "../../api/v1alpha1/inference-service.ts";
import type { KubeObject } from "../../kube/types.ts";
import { locationOf } from "../children/location.ts";
import { ownerReference } from "../children/owner.ts";
import { agentContainer, agentVolumes, type PodSettings, podFields, sourceAccess } from "../children/pod.ts";
import { servingContainer } from "../children/serving.ts";
import type { Deployment } from "../children/types.ts";
import { annotations, labels, managedBy } from "../labels.ts";
import type { Revision } from "./revision.ts";
import { sparing } from "./rollout.ts";

/** The Service's port; kube-proxy maps it to the runtime's. */
export const servicePort = 80;

export function serviceUrl({ metadata }: InferenceService): string {
  return `http://${metadata.name}.${metadata.namespace}.svc`;
}

export function metadataOf(service: InferenceService, name: string): KubeObject["metadata"] {
  return {
    name,
    namespace: service.metadata.namespace ?? "",
    labels: { ...managedBy, [labels.inferenceService]: service.metadata.name },
    ownerReferences: [ownerReference(service)],
  };
}

interface DeploymentInput {
  revision: Revision;
  replicas: number;
  /** The revision's Deployment as it is, when it is there. */
  existing: Deployment | undefined;
}

/** One revision's pods: `stage` fetches and verifies the model, then the runtime starts. */
export function buildDeployment(service: InferenceService, input: DeploymentInput, settings: PodSettings): KubeObject {
  const { revision, replicas, existing } = input;
  const { model, template } = revision;
  const { storage } = service.spec;
  const { container, port, metricsPort, ...pod } = template;
  const modelMount = { name: "model", mountPath: paths.servedModel };
  const access = "uri" in model ? sourceAccess(model.uri, storage?.secretRef?.name) : { volumes: [], mounts: [] };
  const task: StageTask = {
    verb: "stage",
    namespace: service.metadata.namespace ?? "",
    inputs: [],
    model:
      "uri" in model
        ? {
            ...locationOf({ ...storage, uri: model.uri }, settings),
            ...(storage?.digest ? { digest: storage.digest } : {}),
          }
        : { name: model.name, digest: model.digest },
  };
  const metadata = metadataOf(service, revision.name);
  const podLabels = { ...metadata.labels, [labels.workload]: revision.name };
  const stage = agentContainer(stageSettings(settings, existing), task, [modelMount, ...access.mounts]);
  const runtime = servingContainer({
    container,
    port,
    metricsPort,
    modelName: service.metadata.name,
    resources: service.spec.resources,
    mounts: [{ ...modelMount, readOnly: true }],
  });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      ...metadata,
      annotations: {
        ...("version" in model ? { [annotations.modelVersion]: String(model.version) } : {}),
        ...(existing && sparing(service, existing)),
      },
    },
    spec: {
      replicas,
      revisionHistoryLimit: 1,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: { [labels.workload]: revision.name } },
      template: {
        metadata: { labels: podLabels, annotations: { "kubectl.kubernetes.io/default-container": "runtime" } },
        spec: {
          ...podFields(pod),
          // The endpoint is taken away while the pod still answers; then requests under way are finished.
          terminationGracePeriodSeconds: 30,
          initContainers: [stage],
          containers: [{ ...runtime, lifecycle: { preStop: { sleep: { seconds: 5 } } } }],
          volumes: [...agentVolumes, { name: "model", emptyDir: {} }, { name: "tmp", emptyDir: {} }, ...access.volumes],
        },
      },
    },
  } as KubeObject;
}

/** A newer operator does not restart the pods of a revision: its Deployment keeps the agent it was made with. */
function stageSettings(settings: PodSettings, existing: Deployment | undefined): PodSettings {
  const image = existing?.spec?.template?.spec?.initContainers?.find(({ name }) => name === "stage")?.image;
  return image ? { ...settings, agentImage: image } : settings;
}

/** The Service; its selector says which revision has the traffic. */
export function buildService(
  service: InferenceService,
  traffic: { name: string; port: number; metricsPort?: number | undefined },
): KubeObject {
  const { name, port, metricsPort } = traffic;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(service, service.metadata.name),
    spec: {
      selector: { [labels.workload]: name },
      ports: [
        { name: "http", port: servicePort, targetPort: port, protocol: "TCP" },
        ...(metricsPort ? [{ name: "metrics", port: metricsPort, targetPort: metricsPort, protocol: "TCP" }] : []),
      ],
    },
  } as KubeObject;
}

export function buildAutoscaler(service: InferenceService, deployment: string): KubeObject {
  const { minReplicas, maxReplicas = minReplicas, scaleTarget } = service.spec;
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: metadataOf(service, service.metadata.name),
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
      minReplicas,
      maxReplicas,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: scaleTarget } },
        },
      ],
    },
  } as KubeObject;
}

export function buildDisruptionBudget(service: InferenceService): KubeObject {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadataOf(service, service.metadata.name),
    spec: { maxUnavailable: 1, selector: { matchLabels: { [labels.inferenceService]: service.metadata.name } } },
  } as KubeObject;
}

export function buildServiceMonitor(service: InferenceService): KubeObject {
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "ServiceMonitor",
    metadata: metadataOf(service, service.metadata.name),
    spec: {
      selector: { matchLabels: { [labels.inferenceService]: service.metadata.name } },
      endpoints: [{ port: "metrics", path: "/metrics" }],
    },
  } as KubeObject;
}
