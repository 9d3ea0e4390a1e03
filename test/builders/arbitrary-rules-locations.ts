/** The CEL rules of uris, and of what goes with which. */
import { type Rule, type Rules, same, without } from "./arbitrary-rule.ts";
import type { Json, JsonObject } from "./arbitrary-schema.ts";

const pick = (value: JsonObject, ...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));

/** Fields that go with some schemes only: taken away where they don't, and given where they must not be. */
function goesWith(schemes: RegExp, fields: readonly string[], broken: JsonObject): Rule {
  return {
    keep: (value: JsonObject) => (schemes.test(String(value.uri)) ? value : without(value, ...fields)),
    broken: (value: JsonObject) => [{ ...pick(value, "digest"), ...broken }],
  };
}

/** The same of an InferenceService, which has the uri beside the rest. */
function storageGoesWith(schemes: RegExp, field: string, [storageUri, broken]: [string, Json]): Rule {
  const template = { container: { image: "image" } };
  return {
    keep: (spec: JsonObject) =>
      "storage" in spec && "storageUri" in spec && !schemes.test(String(spec.storageUri))
        ? { ...spec, storage: without(spec.storage as JsonObject, field) }
        : spec,
    broken: (spec: JsonObject) => [
      {
        ...without(spec, "modelRef", "runtimeRef"),
        template,
        storageUri,
        storage: { [field]: broken },
      },
    ],
  };
}

const buckets = /^(s3|gs|az):/;
const notMounted = /^(?!pvc:|configmap:)/;
const repository = "git+https://host/data.git";

export const locations: Rules = [
  [
    /^must be a uri that begins with/,
    {
      keep: same,
      broken: () => [
        ...["file:///etc/passwd", "HTTP://host/a", "http:///a", "s3://", "pvc://?", " http://h/"],
        ...["git://host/a", "git+http://host/a", "ssh://host/a", "postgresql://host/a"],
      ],
    },
  ],
  [
    /^must not hold spaces/,
    { keep: same, broken: (value: string) => [" ", "\n", "\t", "\\", "\u007f"].map((odd) => value + odd) },
  ],
  [/^must not hold \.\. segments/, { keep: same, broken: (value: string) => [`${value}/../a`, `${value}/..`] }],
  [
    /^must not hold a user or password/,
    { keep: same, broken: () => ["https://u:p@host/a", "s3://u@bucket/a", "git+ssh://git:p@host/a"] },
  ],
  [/^endpoint goes with/, goesWith(buckets, ["endpoint"], { uri: "https://host/a", endpoint: "http://a" })],
  [/^region goes with/, goesWith(/^s3:/, ["region"], { uri: "gs://bucket/a", region: "eu-1" })],
  [
    /^secretRef does not go with/,
    goesWith(notMounted, ["secretRef"], { uri: "pvc://claim/a", secretRef: { name: "a" } }),
  ],
  [/^ref and path go with/, goesWith(/^git[+]/, ["ref", "path"], { uri: "s3://bucket/a", ref: "main" })],
  [
    /^path must not hold/,
    {
      keep: (value: JsonObject) => (/(^|\/)\.\.?(\/|$)/.test(String(value.path)) ? without(value, "path") : value),
      broken: () => ["..", "../a", "a/./b", "a/.."].map((path) => ({ uri: repository, path })),
    },
  ],
  [
    /^query goes with/,
    {
      keep: (value: JsonObject) =>
        String(value.uri).startsWith("postgres:") ? { query: "SELECT 1", ...value } : without(value, "query"),
      broken: () => [{ uri: "postgres://host/database" }, { uri: repository, query: "SELECT 1" }],
    },
  ],
  [
    /^the rows of a postgres:\/\/ source/,
    {
      keep: (spec: JsonObject) =>
        String((spec.source as JsonObject | undefined)?.uri).startsWith("postgres:")
          ? without(spec, "format", "csv")
          : spec,
      broken: (spec: JsonObject) => [
        {
          ...pick(spec, "retain"),
          source: { uri: "postgres://host/database", query: "SELECT 1" },
          format: "JSONL",
        },
      ],
    },
  ],
  [/^storage\.endpoint goes with/, storageGoesWith(buckets, "endpoint", ["oci://registry/model", "http://a"])],
  [/^storage\.region goes with/, storageGoesWith(/^s3:/, "region", ["gs://bucket/model", "eu-1"])],
  [/^storage\.secretRef does not/, storageGoesWith(notMounted, "secretRef", ["pvc://claim/model", { name: "a" }])],
  [
    /^storageUri must not begin with configmap/,
    {
      keep: (spec: JsonObject) =>
        "storageUri" in spec ? { ...spec, storageUri: String(spec.storageUri).replace(/^configmap:/, "pvc:") } : spec,
      broken: (spec: JsonObject) => [
        {
          ...without(spec, "modelRef", "runtimeRef", "storage"),
          template: { container: { image: "image" } },
          storageUri: "configmap://a/b",
        },
      ],
    },
  ],
];
