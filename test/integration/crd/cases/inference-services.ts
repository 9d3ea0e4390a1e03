import { accept, type Case, container, digest, refuse } from "./case.ts";

const service = { modelRef: { name: "wine" } };

export const services: Case[] = [
  accept("InferenceService", "the shortest", service),
  accept("InferenceService", "everything", {
    modelRef: { name: "wine", version: 3 },
    runtimeRef: { name: "mlserver" },
    minReplicas: 2,
    maxReplicas: 5,
    scaleTarget: 70,
    resources: { requests: { cpu: "100m" } },
  }),
  accept("InferenceService", "a uri", {
    storageUri: "s3://b/m/",
    storage: { endpoint: "http://s3:9000", digest },
    template: { container, port: 9000, metricsPort: 9001 },
  }),
  refuse("InferenceService", "neither model nor uri", {}, /exactly one of modelRef and storageUri/),
  refuse(
    "InferenceService",
    "model and uri",
    { ...service, storageUri: "s3://b/m", runtimeRef: { name: "a" } },
    /exactly one of modelRef and storageUri/,
  ),
  refuse(
    "InferenceService",
    "alias and version",
    { modelRef: { name: "a", alias: "x", version: 1 } },
    /modelRef.*alias or version, not both/s,
  ),
  refuse(
    "InferenceService",
    "a uri without a runtime",
    { storageUri: "s3://b/m" },
    /storageUri needs runtimeRef or template/,
  ),
  refuse(
    "InferenceService",
    "storage without a uri",
    { ...service, storage: { digest } },
    /storage goes with storageUri only/,
  ),
  refuse(
    "InferenceService",
    "a region with http",
    { storageUri: "http://h/m", storage: { region: "x" }, template: { container } },
    /go with an s3/,
  ),
  refuse(
    "InferenceService",
    "a configmap as storage",
    { storageUri: "configmap://a/b", template: { container } },
    /storageUri must begin with/,
  ),
  refuse(
    "InferenceService",
    "fewer at most than at least",
    { ...service, minReplicas: 3, maxReplicas: 2 },
    /maxReplicas must not be less/,
  ),
  refuse("InferenceService", "no replicas", { ...service, minReplicas: 0 }, /minReplicas/),
  refuse("InferenceService", "port 70000", { ...service, template: { container, port: 70000 } }, /port/),
];
