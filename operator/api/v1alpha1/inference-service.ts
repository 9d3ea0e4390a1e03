import { z } from "zod";
import {
  cel,
  commonStatus,
  container,
  digest,
  dnsName,
  type ObjectMeta,
  objectName,
  podSettings,
  resources,
} from "./common.ts";
import { gateway } from "./gateway.ts";
import { ageColumn, type KindDefinition, readyColumn, reasonColumn } from "./kind.ts";
import { access, artifactUri } from "./location.ts";
import { scaleQuery } from "./scale-query.ts";
import { slo } from "./slo.ts";

const modelRef = cel(
  z.strictObject({
    name: objectName.describe("The Model, in this namespace."),
    alias: dnsName.optional().describe("Serve the version that this alias names, and follow it. Default: champion."),
    version: z.int().min(1).max(2147483647).optional().describe("Serve this version."),
  }),
  {
    rule: "!(has(self.alias) && has(self.version))",
    message: "give alias or version, not both",
    check: (value) => !(value.alias !== undefined && value.version !== undefined),
  },
);

/** The port that serves the Open Inference Protocol, unless a runtime says otherwise. */
export const port = z.int().min(1).max(65535).default(8080).describe("Where the Open Inference Protocol v2 is served.");

export const metricsPort = z
  .int()
  .min(1)
  .max(65535)
  .optional()
  .describe(
    "Where the container serves Prometheus metrics at /metrics. Default: it serves none, and there is no ServiceMonitor.",
  );

export const servingTemplate = z.strictObject({
  container: container.describe("The container that serves."),
  port,
  metricsPort,
  ...podSettings,
});
export type ServingTemplate = z.output<typeof servingTemplate>;

const spec = z.strictObject({
  modelRef: modelRef.optional().describe("The registered model to serve."),
  storageUri: artifactUri
    .optional()
    .describe("A model that is not registered: a file, or a folder or prefix that ends in /."),
  storage: z
    .strictObject({
      ...access,
      digest: digest
        .optional()
        .describe("sha256 of the file, or of the manifest of a folder; the runtime starts only when it is right."),
    })
    .optional()
    .describe("How storageUri is read."),
  runtimeRef: z
    .strictObject({ name: objectName.describe("The ServingRuntime's name.") })
    .optional()
    .describe("The ServingRuntime. Default: the one that lists the model's format."),
  template: servingTemplate.optional().describe("A container of your own instead of a ServingRuntime."),
  minReplicas: z.int().min(1).max(1000).default(1).describe("The least number of replicas."),
  maxReplicas: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe(
      "The greatest number of replicas; greater than minReplicas, a HorizontalPodAutoscaler scales. Default: minReplicas.",
    ),
  scaleTarget: z
    .int()
    .min(1)
    .max(100)
    .default(80)
    .describe("Percent of the requested CPU that the autoscaler aims at; the container needs a CPU request."),
  scaleQuery: scaleQuery
    .optional()
    .describe(
      "Scale by a Prometheus query instead of by CPU: KEDA does it, with a ScaledObject. Default: by CPU. The condition ScalingReady says whether it works.",
    ),
  resources: resources.optional().describe("CPU, memory and accelerators of each replica."),
  slo: slo
    .optional()
    .describe(
      "What the service promises. A PrometheusRule alerts when the error budget burns too fast, by MLServer's metrics. Default: nothing. The condition SLOMonitored says whether anything watches it.",
    ),
  gateway: gateway
    .optional()
    .describe(
      "How the service is reached from outside the cluster, by an HTTPRoute of the Gateway API. Default: it is not. The condition GatewayReady has what the Gateways say.",
    ),
});
type Spec = z.output<typeof spec>;

export const inferenceServiceSpec = [
  {
    rule: "has(self.modelRef) != has(self.storageUri)",
    message: "give exactly one of modelRef and storageUri",
    check: (value: Spec) => (value.modelRef !== undefined) !== (value.storageUri !== undefined),
  },
  {
    rule: "!(has(self.runtimeRef) && has(self.template))",
    message: "give runtimeRef or template, not both",
    check: (value: Spec) => !(value.runtimeRef && value.template),
  },
  {
    rule: "!has(self.storageUri) || has(self.runtimeRef) || has(self.template)",
    message:
      "storageUri needs runtimeRef or template: a model that is not registered has no format to choose a runtime by",
    check: (value: Spec) => !value.storageUri || value.runtimeRef !== undefined || value.template !== undefined,
  },
  {
    rule: "!has(self.storage) || has(self.storageUri)",
    message: "storage goes with storageUri only",
    check: (value: Spec) => !value.storage || value.storageUri !== undefined,
  },
  {
    rule: "!has(self.storage) || !has(self.storage.endpoint) || !has(self.storageUri) || self.storageUri.matches('^(s3|gs|az)://')",
    message: "storage.endpoint goes with an s3://, gs:// or az:// storageUri only",
    check: ({ storage, storageUri }: Spec) => !storage?.endpoint || !storageUri || /^(s3|gs|az):\/\//.test(storageUri),
  },
  {
    rule: "!has(self.storage) || !has(self.storage.region) || !has(self.storageUri) || self.storageUri.startsWith('s3://')",
    message: "storage.region goes with an s3:// storageUri only",
    check: ({ storage, storageUri }: Spec) => !storage?.region || !storageUri || storageUri.startsWith("s3://"),
  },
  {
    rule: "!has(self.storage) || !has(self.storage.secretRef) || !has(self.storageUri) || !self.storageUri.startsWith('pvc://')",
    message: "storage.secretRef does not go with a pvc:// storageUri, which needs none",
    check: ({ storage, storageUri }: Spec) => !storage?.secretRef || !storageUri?.startsWith("pvc://"),
  },
  {
    rule: "!has(self.storageUri) || !self.storageUri.startsWith('configmap://')",
    message: "storageUri must not begin with configmap://: a ConfigMap is too small for a model",
    check: (value: Spec) => !value.storageUri?.startsWith("configmap://"),
  },
  {
    rule: "!has(self.maxReplicas) || self.maxReplicas >= self.minReplicas",
    message: "maxReplicas must not be less than minReplicas",
    check: (value: Spec) => value.maxReplicas === undefined || value.maxReplicas >= value.minReplicas,
  },
  {
    rule: "!has(self.scaleQuery) || (has(self.maxReplicas) && self.maxReplicas > self.minReplicas)",
    message: "scaleQuery needs a maxReplicas that is greater than minReplicas",
    check: ({ scaleQuery, minReplicas, maxReplicas = 0 }: Spec) => !scaleQuery || maxReplicas > minReplicas,
  },
].reduce(cel, spec);
export type InferenceServiceSpec = Spec;

const revisionStatus = z.strictObject({
  name: z.string().max(253).describe("The Deployment."),
  modelVersion: z.int().optional().describe("The version of the Model that it serves."),
  trafficPercent: z.int().describe("Its share of the requests."),
  replicas: z.int().describe("How many replicas it should have."),
  readyReplicas: z.int().describe("How many of them are ready."),
  drainUntil: z.string().max(64).optional().describe("When a revision that has no more traffic is removed."),
});
export type RevisionStatus = z.output<typeof revisionStatus>;

export const inferenceServiceStatus = z.strictObject({
  ...commonStatus,
  url: z
    .string()
    .max(1024)
    .optional()
    .describe(
      "Where predictions are asked for: at the gateway's first host name once its route is accepted, else inside the cluster.",
    ),
  modelVersion: z.int().optional().describe("The version that has the traffic."),
  revisions: z.array(revisionStatus).max(10).optional().describe("What runs: one model in one container each."),
});
export type InferenceServiceStatus = z.output<typeof inferenceServiceStatus>;

export interface InferenceService {
  apiVersion: string;
  kind: "InferenceService";
  metadata: ObjectMeta;
  spec: InferenceServiceSpec;
  status?: InferenceServiceStatus;
}

export const inferenceServiceKind: KindDefinition = {
  kind: "InferenceService",
  plural: "inferenceservices",
  singular: "inferenceservice",
  shortNames: ["isvc"],
  scope: "Namespaced",
  description:
    "Serves a model version over the Open Inference Protocol, and follows its alias without losing a request.",
  spec: inferenceServiceSpec,
  status: inferenceServiceStatus,
  columns: [
    { name: "URL", type: "string", jsonPath: ".status.url" },
    { name: "ModelVersion", type: "integer", jsonPath: ".status.modelVersion" },
    readyColumn,
    reasonColumn,
    ageColumn,
  ],
};
