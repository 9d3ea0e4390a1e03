/** Of Datasets. What goes with what is kept by the first rule of each object, for all of them at once. */
import { either, type Rules, same, without } from "./arbitrary-rule.ts";
import type { Json, JsonObject } from "./arbitrary-schema.ts";

const timestamp = { name: "at", role: "Timestamp" };
const columnsOf = (spec: JsonObject) =>
  ((spec.schema as { columns?: JsonObject[] } | undefined)?.columns ?? []) as JsonObject[];
const hasRole = (spec: JsonObject, role: string) => columnsOf(spec).some((column) => column.role === role);

/** A spec in which all fields go together. */
function coherent(spec: JsonObject, coin: boolean): JsonObject {
  const isDerived = "from" in spec && (coin || !("source" in spec));
  return timed(unsplit(isDerived ? derived(spec) : sourced(spec), coin));
}

function derived(spec: JsonObject): JsonObject {
  const { from, transform, format, storage, ...rest } = without(spec, "source", "csv", "schedule", "webhook");
  return {
    ...rest,
    from: from as Json,
    transform: joinable(
      transform as JsonObject | undefined,
      (from as { name: string }[]).map(({ name }) => name),
    ),
    ...(format === "Parquet" ? { format } : {}),
    ...(storage === "Copy" ? { storage } : {}),
  };
}

function joinable(transform: JsonObject | undefined, [rows, ...others]: string[]): JsonObject {
  const { pointInTime, sql = "SELECT 1" } = transform ?? {};
  const features = others.slice(0, 15);
  if (!pointInTime || !rows || features.length === 0) return { sql };
  return { ...transform, pointInTime: { ...(pointInTime as JsonObject), rows, features } };
}

function sourced({ source = { uri: "http://host/wine.csv" }, ...others }: JsonObject): JsonObject {
  const spec: JsonObject = { source, ...without(others, "from", "transform") };
  const isPinned = spec.storage === "Reference" && !/^(postgres|configmap):/.test(String((source as JsonObject).uri));
  return without(
    spec,
    ...((spec.format ?? "CSV") === "CSV" ? [] : ["csv"]),
    ...(isPinned ? [] : ["storage"]),
    ...(isPinned && spec.format !== "Files" ? ["splits", "splitBy", "timeSplits"] : []),
    ...(spec.format === "Files" ? ["schema", "expectations", "online", "splitBy", "timeSplits"] : []),
  );
}

function unsplit(spec: JsonObject, coin: boolean): JsonObject {
  const twice = "splits" in spec && "timeSplits" in spec;
  const once = twice ? without(spec, coin ? "splits" : "timeSplits") : spec;
  return "splits" in once ? once : without(once, "splitBy");
}

/** With a Timestamp and keys, where they are asked for. */
function timed(spec: JsonObject): JsonObject {
  const expectations = (spec.expectations ?? []) as JsonObject[];
  const isJudged = expectations.some((one) => "freshness" in one);
  const needs = "timeSplits" in spec || isJudged;
  const [, ...rest] = columnsOf(spec);
  const columns = hasRole(spec, "Timestamp")
    ? columnsOf(spec).map((column) => (isJudged && column.role === "Timestamp" ? without(column, "sensitive") : column))
    : [timestamp, ...rest.filter(({ name }) => name !== timestamp.name)];
  const dated = needs ? { ...spec, schema: { columns } } : spec;
  const { online } = dated as { online?: JsonObject };
  const keyed = !online || "keys" in online || hasRole(dated, "Key");
  return keyed ? dated : { ...dated, online: { ...online, keys: ["id"] } };
}

const source = { uri: "http://host/wine.csv" };
const derivation = { from: [{ name: "a", datasetRef: { name: "wine" } }], transform: { sql: "SELECT 1" } };
const bare = (spec: JsonObject) =>
  without(spec, "source", "from", "transform", "csv", "schedule", "webhook", "storage", "format");
const fromSource = (spec: JsonObject): JsonObject => ({ ...bare(spec), source });
const fromOthers = (spec: JsonObject): JsonObject => ({ ...bare(spec), ...derivation });
const noRoles = { columns: [{ name: "a" }] };
const timeSplits = [{ name: "train" }, { name: "test", from: "2026-01-01" }];
const rule = (message: RegExp, ...broken: ((spec: JsonObject) => JsonObject)[]): Rules[number] => [
  message,
  { keep: same, broken: (spec: JsonObject) => broken.map((one) => one(spec)) },
];

const specs: Rules = [
  [
    /^give exactly one of source and from/,
    { keep: coherent, broken: (spec: JsonObject) => [bare(spec), { ...fromOthers(spec), source }] },
  ],
  rule(
    /^from and transform go together/,
    (spec) => without(fromOthers(spec), "transform"),
    (spec) => ({ ...fromSource(spec), transform: derivation.transform }),
  ),
  rule(/^a Dataset with from is written as Parquet/, (spec) => ({ ...fromOthers(spec), format: "CSV" })),
  rule(
    /^schedule, webhook and storage: Reference go with source/,
    (spec) => ({ ...fromOthers(spec), schedule: "* * * * *" }),
    (spec) => ({ ...fromOthers(spec), storage: "Reference" }),
  ),
  rule(
    /^csv goes with a source/,
    (spec) => ({ ...fromOthers(spec), csv: {} }),
    (spec) => ({ ...fromSource(spec), format: "JSONL", csv: {} }),
  ),
  rule(/^the format Files has no table/, (spec) => ({ ...fromSource(spec), format: "Files", schema: noRoles })),
  rule(/^with storage: Reference only the format Files/, (spec) => ({
    ...fromSource(spec),
    storage: "Reference",
    splits: { train: 100 },
  })),
  rule(/^storage: Reference does not go with/, (spec) => ({
    ...fromSource(spec),
    source: { uri: "configmap://code/a.csv" },
    storage: "Reference",
  })),
  rule(/^give splits or timeSplits/, (spec) => ({ ...spec, splits: { train: 100 }, timeSplits })),
  rule(/^splitBy goes with splits/, (spec) => ({ ...without(spec, "splits"), splitBy: "a" })),
  rule(/^timeSplits needs a column/, (spec) => ({
    ...without(spec, "splits", "splitBy"),
    schema: noRoles,
    timeSplits,
  })),
  rule(
    /^freshness needs a column/,
    ...[noRoles, { columns: [{ ...timestamp, sensitive: true }] }].map((schema) => (spec: JsonObject) => ({
      ...without(spec, "timeSplits"),
      schema,
      expectations: [{ name: "fresh", freshness: { maxAge: "1h" } }],
    })),
  ),
  rule(/^online needs keys/, (spec) => ({ ...without(spec, "schema"), online: {} })),
  rule(/^transform\.pointInTime\.rows and features must be/, (spec) => ({
    ...fromOthers(spec),
    transform: { pointInTime: { rows: "a", features: ["a"] } },
  })),
  rule(/^joined is the table that/, (spec) => ({
    ...fromOthers(spec),
    from: ["a", "joined"].map((name) => ({ name, datasetRef: { name } })),
    transform: { pointInTime: { rows: "a", features: ["joined"] } },
  })),
];

/** Shares of 100 in the proportion of these, each at least 1. */
function percentages(value: Record<string, number>): Json {
  const entries = Object.entries(value);
  if (entries.length === 0) return { train: 80, test: 20 };
  const sum = entries.reduce((total, [, part]) => total + part, 0);
  const shares = entries.map(([, part]) => 1 + Math.floor((part * (100 - entries.length)) / sum));
  shares[0] = (shares[0] ?? 0) + 100 - shares.reduce((total, share) => total + share, 0);
  return Object.fromEntries(entries.map(([name], index) => [name, shares[index] ?? 0]));
}

const lists: Rules = [
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
    /^no split may be called all/,
    {
      keep: (splits: JsonObject) => ("all" in splits ? { ...without(splits, "all"), every: splits.all } : splits),
      broken: () => [{ all: 100 }, { train: 80, all: 20 }],
    },
  ],
  [
    /^no split by time may be called all/,
    {
      keep: (splits: JsonObject[]) =>
        splits.map((split) => (split.name === "all" ? { ...split, name: "every" } : split)),
      broken: () => [[{ name: "all" }, { name: "new", from: "2026-01-01" }]],
    },
  ],
  ...["Label", "Timestamp", "Weight"].map((role): Rules[number] => [
    new RegExp(`^at most one column has the role ${role}`),
    {
      keep: (columns: JsonObject[]) => {
        const first = columns.findIndex((column) => column.role === role);
        return columns.map((column, index) =>
          column.role === role && index > first ? without(column, "role") : column,
        );
      },
      broken: (columns: JsonObject[]) => [
        columns.length > 1
          ? columns.map((column, index) => (index < 2 ? { ...column, role } : column))
          : ["a", "b"].map((name) => ({ name, role })),
      ],
    },
  ]),
  [
    /^the first split has no from/,
    {
      keep: (splits: JsonObject[]) => {
        const given = splits.map(({ from }, index) => String(from ?? `2026-01-0${index + 1}`)).sort();
        const times = given.map((time, index) => (time === given[index - 1] ? `9999-01-0${index + 1}` : time)).sort();
        return splits.map((split, index) =>
          index === 0 ? without(split, "from") : { ...split, from: times[index] ?? "" },
        );
      },
      broken: () => [
        [{ name: "a" }, { name: "b" }],
        [
          { name: "a", from: "2026-01-01" },
          { name: "b", from: "2026-01-01" },
        ],
      ],
    },
  ],
  [
    /^splits must be listed in the order of time/,
    { keep: same, broken: () => [[...timeSplits, { name: "old", from: "2025-12-31T23:59:59Z" }]] },
  ],
  [/^give sql, pointInTime or both/, { keep: same, broken: () => [{}] }],
  [/^give value or valueFrom/, either("value", "valueFrom", { value: "1", valueFrom: {} })],
];

export const datasets: Rules = [...specs, ...lists];
