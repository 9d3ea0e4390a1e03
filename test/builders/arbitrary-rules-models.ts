/** Of Models and InferenceServices. */
import { either, type Rules, without } from "./arbitrary-rule.ts";
import type { Json, JsonObject } from "./arbitrary-schema.ts";

const template = { container: { image: "image" } };
const evaluation = { datasetRef: { name: "wine" } };
const classification = ["accuracy", "precision", "recall", "f1", "log_loss", "roc_auc"];

export const gates: Rules = [
  [
    /^give at least one of min, max or against/,
    {
      keep: (gate: JsonObject) =>
        ["min", "max", "against"].some((name) => name in gate) ? gate : { ...gate, against: "champion" },
      broken: (gate: JsonObject) => [without(gate, "min", "max", "against", "minDelta", "maxDelta")],
    },
  ],
  [
    /^minDelta and maxDelta need against/,
    {
      keep: (gate: JsonObject) => ("against" in gate ? gate : without(gate, "minDelta", "maxDelta")),
      broken: (gate: JsonObject) => [{ ...without(gate, "against"), min: 0, max: 0, maxDelta: 0 }],
    },
  ],
  [
    /^min must not be greater than max/,
    {
      keep: (gate: { min?: number; max?: number }) => {
        const { min, max } = gate;
        return min !== undefined && max !== undefined && min > max ? { ...gate, min: max, max: min } : { ...gate };
      },
      broken: (gate: JsonObject) => [
        { ...gate, min: 1, max: 0 },
        { ...gate, min: Number.EPSILON, max: 0 },
      ],
    },
  ],
  [
    /^gates need evaluation/,
    {
      keep: (spec: { gates?: Json[]; evaluation?: Json }, coin) => {
        if (!spec.gates?.length || spec.evaluation) return { ...spec };
        return coin ? { ...spec, evaluation } : without({ ...spec }, "gates");
      },
      broken: (spec: JsonObject) => [
        { ...without(spec, "evaluation"), gates: [{ metric: "latency_p50_ms", against: "champion" }] },
      ],
    },
  ],
  [
    /^Classification has the metrics/,
    {
      keep: ({ gates, ...spec }: { task?: string; gates?: { metric: string }[] }) => {
        const of = (metric: string) => classification.includes(metric) === (spec.task === "Classification");
        const right = spec.task === "Classification" ? "accuracy" : "rmse";
        const kept = gates?.map((gate) =>
          gate.metric.startsWith("latency_") || of(gate.metric) ? gate : { ...gate, metric: right },
        );
        return { ...spec, ...(kept ? { gates: kept } : {}) };
      },
      broken: (spec: JsonObject) => [
        { ...spec, evaluation, task: "Regression", gates: [{ metric: "accuracy", min: 0 }] },
        { ...spec, evaluation, task: "Classification", gates: [{ metric: "r2", min: 0 }] },
      ],
    },
  ],
];

const served = (spec: JsonObject): JsonObject => without(spec, "modelRef", "storageUri", "storage", "runtimeRef");
export const services: Rules = [
  [/^give alias or version/, either("alias", "version", { alias: "champion", version: 1 })],
  [/^give runtimeRef or template/, either("runtimeRef", "template", { runtimeRef: { name: "a" }, template })],
  [
    /^give exactly one of modelRef and storageUri/,
    {
      keep: (spec: JsonObject, coin) => {
        if ("modelRef" in spec !== "storageUri" in spec) return spec;
        return "modelRef" in spec
          ? without(spec, coin ? "modelRef" : "storageUri")
          : { ...spec, modelRef: { name: "wine" } };
      },
      broken: (spec: JsonObject) => [
        served(spec),
        { ...served(spec), modelRef: { name: "a" }, storageUri: "s3://b/m" },
      ],
    },
  ],
  [
    /^storageUri needs runtimeRef or template/,
    {
      keep: (spec: JsonObject) =>
        "storageUri" in spec && !("runtimeRef" in spec || "template" in spec)
          ? { ...spec, runtimeRef: { name: "mlserver" } }
          : spec,
      broken: (spec: JsonObject) => [{ ...without(served(spec), "template"), storageUri: "s3://b/m" }],
    },
  ],
  [
    /^storage goes with storageUri only/,
    {
      keep: (spec: JsonObject) => ("storageUri" in spec ? spec : without(spec, "storage")),
      broken: (spec: JsonObject) => [{ ...served(spec), modelRef: { name: "a" }, storage: {} }],
    },
  ],
  [
    /^maxReplicas must not be less/,
    {
      keep: (spec: { minReplicas?: number; maxReplicas?: number }) => {
        const { minReplicas = 1, maxReplicas = minReplicas } = spec;
        return maxReplicas < minReplicas
          ? { ...spec, minReplicas: maxReplicas, maxReplicas: minReplicas }
          : { ...spec };
      },
      broken: (spec: JsonObject) => [{ ...spec, minReplicas: 3, maxReplicas: 2 }],
    },
  ],
];
