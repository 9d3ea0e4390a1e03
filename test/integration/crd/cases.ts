import { accept, type Case, refuse } from "./case.ts";
import { locationCases } from "./location-cases.ts";

const digest = `sha256:${"a".repeat(64)}`;

const dataset = { source: { uri: "http://host/wine.csv" } };
const container = { image: "python:3.12" };
const training = { modelRef: { name: "wine" } };
const model = { task: "Classification", format: { name: "sklearn" } };
const evaluated = { ...model, evaluation: { datasetRef: { name: "wine" } } };
const service = { modelRef: { name: "wine" } };

const datasets: Case[] = [
  accept("Dataset", "the shortest", dataset),
  accept("Dataset", "everything", {
    description: "x",
    source: { uri: "s3://b/k", endpoint: "http://minio:9000", region: "eu-1", secretRef: { name: "s3" } },
    format: "JSONL",
    schedule: "*/15 * * * 1-5",
    schema: {
      columns: [
        { name: "a b", type: "Double" },
        { name: "class", role: "Label" },
      ],
    },
    splits: { train: 80, test: 20 },
    splitSeed: 7,
    retain: 3,
  }),
  refuse("Dataset", "no source", {}, /source/),
  refuse("Dataset", "an unknown field", { ...dataset, sauce: 1 }, /sauce/),
  refuse("Dataset", "an unknown format", { ...dataset, format: "XLS" }, /format/),
  refuse("Dataset", "a number for the uri", { source: { uri: 5 } }, /source.uri/),
  refuse("Dataset", "an endpoint that is no url", { source: { uri: "s3://b/k", endpoint: "minio:9000" } }, /endpoint/),
  refuse("Dataset", "a schedule of four fields", { ...dataset, schedule: "* * * *" }, /schedule/),
  refuse("Dataset", "splits of 90", { ...dataset, splits: { train: 70, test: 20 } }, /splits.*add up to 100/s),
  refuse("Dataset", "half a percent", { ...dataset, splits: { train: 99.5, test: 0.5 } }, /splits/),
  refuse("Dataset", "a split with a slash", { ...dataset, splits: { "a/b": 50, c: 50 } }, /splits.*names must be/s),
  refuse(
    "Dataset",
    "two labels",
    {
      ...dataset,
      schema: {
        columns: [
          { name: "a", role: "Label" },
          { name: "b", role: "Label" },
        ],
      },
    },
    /columns.*at most one/s,
  ),
  refuse(
    "Dataset",
    "an unknown type",
    { ...dataset, schema: { columns: [{ name: "a", type: "float" }] } },
    /columns.*type/s,
  ),
  refuse("Dataset", "no columns", { ...dataset, schema: { columns: [] } }, /columns/),
  ...[0, 1001, 1.5, "3"].map((retain) =>
    refuse("Dataset", `retain ${JSON.stringify(retain)}`, { ...dataset, retain }, /retain/),
  ),
  ...[1, 1000].map((retain) => accept("Dataset", `retain ${retain}`, { ...dataset, retain })),
];

const trainingJobs: Case[] = [
  accept("TrainingJob", "the shortest", training),
  accept("TrainingJob", "everything", {
    ...training,
    runtimeRef: { name: "sklearn" },
    code: { configMapRef: { name: "code" } },
    inputs: [{ name: "train", datasetRef: { name: "wine", split: "train" } }],
    parameters: { C: 1.0, solver: "lbfgs", shuffle: true },
    resources: { requests: { cpu: 1, memory: "1Gi" }, limits: { "nvidia.com/gpu": 1 } },
    backoffLimit: 0,
    activeDeadlineSeconds: 60,
    suspend: true,
    triggers: { datasetChange: true },
    historyLimit: 1,
  }),
  accept("TrainingJob", "a template", {
    ...training,
    template: {
      container: {
        ...container,
        env: [
          { name: "A", value: "1" },
          { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
        ],
      },
      tolerations: [{ operator: "Exists" }],
      nodeSelector: { disk: "ssd" },
      runAsUser: 2000,
    },
  }),
  refuse("TrainingJob", "no model", {}, /modelRef/),
  refuse(
    "TrainingJob",
    "runtime and template",
    { ...training, runtimeRef: { name: "a" }, template: { container } },
    /runtimeRef or template, not both/,
  ),
  refuse(
    "TrainingJob",
    "a container without an image",
    { ...training, template: { container: {} } },
    /container.image/s,
  ),
  refuse(
    "TrainingJob",
    "value and valueFrom",
    { ...training, template: { container: { ...container, env: [{ name: "A", value: "1", valueFrom: {} }] } } },
    /env.*not both/s,
  ),
  refuse("TrainingJob", "a user id of 0", { ...training, template: { container, runAsUser: 0 } }, /runAsUser/),
  refuse(
    "TrainingJob",
    "an input with a slash",
    { ...training, inputs: [{ name: "../x", datasetRef: { name: "a" } }] },
    /inputs.*name/s,
  ),
  refuse(
    "TrainingJob",
    "a quantity that is none",
    { ...training, resources: { limits: { memory: "lots" } } },
    /resources.*memory/s,
  ),
  ...[-1, 21].map((backoffLimit) =>
    refuse("TrainingJob", `backoffLimit ${backoffLimit}`, { ...training, backoffLimit }, /backoffLimit/),
  ),
  ...[0, 2592001].map((activeDeadlineSeconds) =>
    refuse(
      "TrainingJob",
      `activeDeadlineSeconds ${activeDeadlineSeconds}`,
      { ...training, activeDeadlineSeconds },
      /activeDeadlineSeconds/,
    ),
  ),
  refuse("TrainingJob", "suspend: yes", { ...training, suspend: "yes" }, /suspend/),
];

const gate = (value: object, task = "Classification") => ({ ...evaluated, task, gates: [value] });
const models: Case[] = [
  accept("Model", "the shortest", model),
  accept("Model", "everything", {
    ...evaluated,
    description: "x",
    imports: [{ uri: "s3://b/model.joblib", digest }],
    gates: [
      { metric: "accuracy", min: 0.9 },
      { metric: "accuracy", against: "champion", minDelta: -0.01 },
      { metric: "latency_p99_ms", max: 50 },
    ],
    promotion: "Manual",
    aliases: { champion: 3, "last-good": 2 },
  }),
  accept("Model", "a gate against the champion alone", gate({ metric: "rmse", against: "champion" }, "Regression")),
  refuse("Model", "an unknown task", { ...model, task: "Clustering" }, /task/),
  refuse("Model", "an unknown metric", gate({ metric: "acuracy", min: 0.9 }), /gates.*metric/s),
  refuse(
    "Model",
    "a metric of the other task",
    gate({ metric: "rmse", max: 1 }),
    /Classification has the metrics accuracy/,
  ),
  refuse(
    "Model",
    "a metric of the other task",
    gate({ metric: "accuracy", min: 1 }, "Regression"),
    /Regression has mae/,
  ),
  refuse(
    "Model",
    "a gate without a limit",
    gate({ metric: "accuracy" }),
    /gates.*at least one of min, max or against/s,
  ),
  refuse(
    "Model",
    "a delta without against",
    gate({ metric: "accuracy", min: 0.1, minDelta: 0 }),
    /gates.*need against/s,
  ),
  refuse("Model", "min above max", gate({ metric: "accuracy", min: 0.9, max: 0.8 }), /gates.*min must not be greater/s),
  refuse("Model", "a threshold in quotes", gate({ metric: "accuracy", min: "0.9" }), /gates.*min/s),
  refuse(
    "Model",
    "gates without an evaluation",
    { ...model, gates: [{ metric: "accuracy", min: 0.9 }] },
    /gates need evaluation/,
  ),
  refuse("Model", "an import without a digest", { ...model, imports: [{ uri: "s3://b/k" }] }, /imports.*digest/s),
  refuse(
    "Model",
    "an import with a short digest",
    { ...model, imports: [{ uri: "s3://b/k", digest: "sha256:abc" }] },
    /imports.*digest/s,
  ),
  refuse("Model", "an alias to version 0", { ...model, aliases: { champion: 0 } }, /aliases/),
  refuse("Model", "an alias with a capital", { ...model, aliases: { Champion: 1 } }, /aliases.*names must be/s),
  refuse("Model", "promotion: auto", { ...model, promotion: "auto" }, /promotion/),
];

const services: Case[] = [
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

const runtimes: Case[] = [
  accept("ServingRuntime", "the shortest", { formats: [{ name: "sklearn" }], container }),
  accept("TrainingRuntime", "the shortest", { formats: [{ name: "sklearn" }], container }),
  refuse("ServingRuntime", "no format", { formats: [], container }, /formats/),
  refuse("TrainingRuntime", "a port", { formats: [{ name: "a" }], container, port: 80 }, /port/),
];

export const cases: readonly Case[] = [
  ...locationCases,
  ...datasets,
  ...trainingJobs,
  ...models,
  ...services,
  ...runtimes,
];
