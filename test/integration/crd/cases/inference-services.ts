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
  ...["http://h/m", "gs://b/m/", "oci://r/m:1", "git+https://h/m"].map((storageUri) =>
    accept("InferenceService", `a Secret with ${storageUri}`, {
      storageUri,
      storage: { secretRef: { name: "a" } },
      template: { container },
    }),
  ),
  ...(
    [
      ["http://h/m", { region: "x" }, /storage.region goes with/],
      ["gs://b/m", { region: "x" }, /storage.region goes with/],
      ["oci://r/m", { endpoint: "http://a" }, /storage.endpoint goes with/],
      ["pvc://c/m", { secretRef: { name: "a" } }, /storage.secretRef does not go with/],
    ] as const
  ).map(([storageUri, storage, says]) =>
    refuse(
      "InferenceService",
      `${Object.keys(storage)[0]} with ${storageUri}`,
      { storageUri, storage, template: { container } },
      says,
    ),
  ),
  refuse(
    "InferenceService",
    "a configmap as storage",
    { storageUri: "configmap://a/b", template: { container } },
    /storageUri must not begin with configmap/,
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
