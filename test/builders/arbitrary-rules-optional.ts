/** The CEL rules of fields that need other projects: how a value is made to keep each, and how to break it. */
import type { Rule } from "./arbitrary-rule.ts";
import type { Json, JsonObject } from "./arbitrary-schema.ts";

interface ParentRef extends JsonObject {
  name: string;
}
const gatewayOf = ({ name, namespace = "" }: ParentRef) => `${namespace}/${name}`;
/** One of each Gateway. */
const distinct = (refs: ParentRef[]): Json[] => [...new Map(refs.map((ref) => [gatewayOf(ref), ref])).values()];

interface Replicas extends JsonObject {
  minReplicas?: number;
  maxReplicas?: number;
}
const scaleQuery = { serverAddress: "http://prometheus:9090", query: "up", threshold: 1 };

export const optionalRules: [RegExp, Rule][] = [
  [/^must be greater than 0/, { keep: (value: number) => value || 1, broken: () => [0] }],
  [
    /^scaleQuery needs a maxReplicas/,
    {
      keep: (spec: Replicas) => {
        const { scaleQuery: _, ...rest } = spec;
        return (spec.maxReplicas ?? 0) > (spec.minReplicas ?? 1) ? { ...spec } : rest;
      },
      broken: (spec: Replicas) => [{ ...spec, scaleQuery, minReplicas: 2, maxReplicas: 2 }],
    },
  ],
  [/^must be from 5ms to 10s/, { keep: () => "200ms", broken: () => ["4ms", "0s", "10.001s", "99999ms"] }],
  [
    /^give availability or latency/,
    {
      keep: (slo: JsonObject) => ("availability" in slo || "latency" in slo ? slo : { availability: 99.9 }),
      broken: () => [{}],
    },
  ],
  [
    /^give exactly one of configMapRef and gitRepositoryRef/,
    {
      keep: ({ configMapRef, gitRepositoryRef }: JsonObject, coin) => {
        if (configMapRef && (coin || !gitRepositoryRef)) return { configMapRef };
        return gitRepositoryRef ? { gitRepositoryRef } : { configMapRef: { name: "code" } };
      },
      broken: () => [{}, { configMapRef: { name: "a" }, gitRepositoryRef: { name: "b" } }],
    },
  ],
  [
    /^parentRefs must differ/,
    {
      keep: distinct,
      broken: () => [
        ["a", "b", "a"].map((name) => ({ name })),
        [1, 2].map(() => ({ name: "a", namespace: "b", port: 1 })),
      ],
    },
  ],
  [
    /^a Gateway that is named twice/,
    {
      keep: distinct,
      broken: () => [
        [{ name: "a" }, { name: "a", sectionName: "b" }],
        [
          { name: "a", port: 1 },
          { name: "a", sectionName: "b" },
        ],
      ],
    },
  ],
];
