/** The kinds' CEL rules: how a value is made to keep each, and how to break it. */
import type { Json, JsonObject } from "./arbitrary-schema.ts";
import { locationRules } from "./location-rules.ts";
import { type Rule, same, without } from "./rule.ts";

/** Of two fields one must go. */
function either(one: string, other: string, both: JsonObject): Rule {
  return {
    keep: (value: JsonObject, coin) => (one in value && other in value ? without(value, coin ? one : other) : value),
    broken: (value: JsonObject) => [{ ...value, ...both }],
  };
}

const template = { container: { image: "image" } };
const evaluation = { datasetRef: { name: "wine" } };
const classification = ["accuracy", "precision", "recall", "f1", "log_loss", "roc_auc"];
const label = { role: "Label" };

/** Shares of 100 in the proportion of these, each at least 1. */
function percentages(value: Record<string, number>): Json {
  const entries = Object.entries(value);
  if (entries.length === 0) return { train: 80, test: 20 };
  const sum = entries.reduce((total, [, part]) => total + part, 0);
  const shares = entries.map(([, part]) => 1 + Math.floor((part * (100 - entries.length)) / sum));
  shares[0] = (shares[0] ?? 0) + 100 - shares.reduce((total, share) => total + share, 0);
  return Object.fromEntries(entries.map(([name], index) => [name, shares[index] ?? 0]));
}

const lists: [RegExp, Rule][] = [
  [
    /^names must be at most 63/,
    {
      keep: same,
      broken: (value: JsonObject) =>
        Object.entries(value)
          .slice(0, 1)
          .flatMap(([name, first]) =>
            ["A", "a/b", "", "-a", "a-", "a\n", "x".repeat(64)].map((odd) => ({
              ...without(value, name),
              [odd]: first,
            })),
          ),
    },
  ],
  [
    /^the percentages must add up to 100/,
    { keep: percentages, broken: () => [{}, { train: 80 }, { train: 80, test: 21 }, { train: 50, test: 49 }] },
  ],
  [
    /^at most one column has the role Label/,
    {
      keep: (columns: JsonObject[]) => {
        const first = columns.findIndex(({ role }) => role);
        return columns.map((column, index) => (index === first ? column : without(column, "role")));
      },
      broken: (columns: JsonObject[]) => [
        columns.length > 1
          ? columns.map((column, index) => (index < 2 ? { ...column, ...label } : column))
          : ["a", "b"].map((name) => ({ name, ...label })),
      ],
    },
  ],
  [/^give value or valueFrom/, either("value", "valueFrom", { value: "1", valueFrom: {} })],
];

const gates: [RegExp, Rule][] = [
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
const services: [RegExp, Rule][] = [
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

const rules = [...locationRules, ...lists, ...gates, ...services];

/** The rule with this message. Throws on one that is not here, so that a new rule is met by the arbitraries too. */
export function ruleOf(message: string): {
  keep: (value: Json, coin: boolean) => Json;
  broken: (value: Json) => Json[];
} {
  const found = rules.find(([pattern]) => pattern.test(message));
  if (!found) throw new Error(`arbitrary-rules.ts does not know the rule "${message}"`);
  return found[1] as ReturnType<typeof ruleOf>;
}
