/** Of uris, and of what goes with which. */
import { type Rules, same, without } from "./arbitrary-rule.ts";
import type { JsonObject } from "./arbitrary-schema.ts";

const hasScheme = (value: JsonObject, ...schemes: string[]) =>
  schemes.some((scheme) => String(value.uri).startsWith(`${scheme}://`));
const isGit = (value: JsonObject) => hasScheme(value, "git+https", "git+ssh");

/** A field that goes with some schemes only. */
function only(field: string, schemes: string[], broken: JsonObject[]): Rules[number][1] {
  return {
    keep: (value: JsonObject) => (hasScheme(value, ...schemes) ? value : without(value, field)),
    broken: (value: JsonObject) => broken.map((part) => ({ ...without(value, "query"), ...part })),
  };
}

export const locations: Rules = [
  [
    /^must be a uri that begins with/,
    {
      keep: same,
      broken: () => ["file:///etc/passwd", "HTTP://host/a", "http:///a", "s3://", "pvc://?", " http://h/"],
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
  [
    /^endpoint goes with/,
    only("endpoint", ["s3", "gs", "az"], [{ uri: "http://host/a", endpoint: "http://minio:9000" }]),
  ],
  [/^region goes with/, only("region", ["s3"], [{ uri: "gs://bucket/a", region: "eu-1" }])],
  [
    /^secretRef does not go with/,
    {
      keep: (value: JsonObject) => (hasScheme(value, "pvc", "configmap") ? without(value, "secretRef") : value),
      broken: (value: JsonObject) => [{ ...without(value, "query"), uri: "pvc://claim/a", secretRef: { name: "s3" } }],
    },
  ],
  [
    /^ref and path go with/,
    {
      keep: (value: JsonObject) => (isGit(value) ? value : without(value, "ref", "path")),
      broken: (value: JsonObject) => [
        { ...without(value, "query"), uri: "s3://bucket/a", ref: "main" },
        { ...without(value, "query"), uri: "oci://host/a", path: "a" },
      ],
    },
  ],
  [
    /^path must not hold/,
    {
      keep: (value: JsonObject) =>
        /(^|\/)\.\.?(\/|$)/.test(String(value.path ?? "a")) ? { ...value, path: "data/wine.csv" } : value,
      broken: (value: JsonObject) =>
        ["..", "a/../b", "./a", "a/."].map((path) => ({ ...without(value, "query"), uri: "git+https://host/a", path })),
    },
  ],
  [
    /^query goes with/,
    {
      keep: (value: JsonObject) => {
        if (!hasScheme(value, "postgres")) return without(value, "query");
        return "query" in value ? value : { ...value, query: "SELECT 1" };
      },
      broken: (value: JsonObject) => [
        { ...without(value, "query"), uri: "postgres://host/db" },
        { ...value, uri: "http://host/a", query: "SELECT 1" },
      ],
    },
  ],
];
