import { accept, type Case, refuse } from "./case.ts";

const dataset = { source: { uri: "http://host/wine.csv" } };

const timestamp = { schema: { columns: [{ name: "at", role: "Timestamp" }] } };
const timeSplits = [{ name: "train" }, { name: "test", from: "2026-01-01" }];
const filesOnly = /the format Files has no table/;
const unsplit = /with storage: Reference only the format Files can be split/;
const unpinned = /storage: Reference does not go with postgres/;
const key = /online needs keys, or columns with the role Key/;

/** What goes with what. */
const tables: Case[] = [
  accept("Dataset", "a dialect", {
    ...dataset,
    csv: { delimiter: ";", quote: "'", header: false, nullValues: ["NA", ""] },
  }),
  refuse("Dataset", "a delimiter of two", { ...dataset, csv: { delimiter: "||" } }, /csv.delimiter/),
  refuse("Dataset", "a dialect of Parquet", { ...dataset, format: "Parquet", csv: {} }, /csv goes with a source in/),
  accept("Dataset", "files with splits", { ...dataset, format: "Files", splits: { train: 50, test: 50 } }),
  ...[
    { schema: { columns: [{ name: "a" }] } },
    { expectations: [{ name: "rows", rows: { min: 1 } }] },
    { online: { keys: ["a"] } },
    { splitBy: "a", splits: { a: 100 } },
    { timeSplits },
  ].map((part) =>
    refuse("Dataset", `files with ${Object.keys(part)[0]}`, { ...dataset, format: "Files", ...part }, filesOnly),
  ),
  accept("Dataset", "files by reference", { ...dataset, storage: "Reference", format: "Files", splits: { a: 100 } }),
  accept("Dataset", "a table by reference", { ...dataset, storage: "Reference", format: "Parquet" }),
  refuse("Dataset", "a split table by reference", { ...dataset, storage: "Reference", splits: { a: 100 } }, unsplit),
  refuse(
    "Dataset",
    "a table by reference, by time",
    { ...dataset, ...timestamp, storage: "Reference", timeSplits },
    unsplit,
  ),
  ...[{ uri: "configmap://a/b" }, { uri: "postgres://h/db", query: "SELECT 1" }].map((source) =>
    refuse("Dataset", `${source.uri} by reference`, { source, storage: "Reference" }, unpinned),
  ),
  refuse("Dataset", "storage that is unknown", { ...dataset, storage: "Link" }, /storage/),
  accept("Dataset", "groups", { ...dataset, splits: { train: 80, test: 20 }, splitBy: "customer" }),
  refuse("Dataset", "groups without splits", { ...dataset, splitBy: "customer" }, /splitBy goes with splits/),
  accept("Dataset", "splits by time", { ...dataset, ...timestamp, timeSplits }),
  refuse("Dataset", "splits by time without a time", { ...dataset, timeSplits }, /timeSplits needs a column/),
  refuse(
    "Dataset",
    "splits twice",
    { ...dataset, ...timestamp, timeSplits, splits: { a: 100 } },
    /timeSplits, not both/,
  ),
  refuse("Dataset", "one split by time", { ...dataset, ...timestamp, timeSplits: [{ name: "all" }] }, /timeSplits/),
  ...[
    [
      { name: "a", from: "2026-01-01" },
      { name: "b", from: "2026-02-01" },
    ],
    [{ name: "a" }, { name: "b" }],
  ].map((wrong) =>
    refuse(
      "Dataset",
      `splits ${JSON.stringify(wrong)}`,
      { ...dataset, ...timestamp, timeSplits: wrong },
      /first split has no from/,
    ),
  ),
  refuse(
    "Dataset",
    "splits against the order of time",
    { ...dataset, ...timestamp, timeSplits: [...timeSplits, { name: "old", from: "2025-01-01" }] },
    /timeSplits.*in the order of time/s,
  ),
  refuse(
    "Dataset",
    "a split by time called all",
    { ...dataset, ...timestamp, timeSplits: [{ name: "all" }, { name: "new", from: "2026-01-01" }] },
    /timeSplits.*by time may be called all/s,
  ),
  refuse(
    "Dataset",
    "a split from a time without a zone",
    { ...dataset, ...timestamp, timeSplits: [{ name: "a" }, { name: "b", from: "2026-01-01T00:00:00" }] },
    /timeSplits.*from/s,
  ),
  ...["Timestamp", "Weight"].map((role) =>
    refuse(
      "Dataset",
      `two columns with the role ${role}`,
      { ...dataset, schema: { columns: ["a", "b"].map((name) => ({ name, role })) } },
      /columns.*at most one/s,
    ),
  ),
  accept("Dataset", "a time that is sensitive", {
    ...{ ...dataset, timeSplits },
    schema: { columns: [{ name: "at", role: "Timestamp", sensitive: true }] },
  }),
  refuse(
    "Dataset",
    "freshness by a time that is sensitive",
    {
      ...dataset,
      schema: { columns: [{ name: "at", role: "Timestamp", sensitive: true }] },
      expectations: [{ name: "fresh", freshness: { maxAge: "1h" } }],
    },
    /freshness needs a column .* that is not sensitive/,
  ),
  accept("Dataset", "two keys", {
    ...dataset,
    online: {},
    schema: { columns: ["a", "b"].map((name) => ({ name, role: "Key" })) },
  }),
  accept("Dataset", "keys to look up by", { ...dataset, online: { keys: ["id"], replicas: 3 } }),
  refuse("Dataset", "online without keys", { ...dataset, online: {} }, key),
  refuse("Dataset", "online without replicas", { ...dataset, online: { keys: ["id"], replicas: 0 } }, /replicas/),
  accept("Dataset", "a webhook", { ...dataset, webhook: { tokenSha256: "0a".repeat(32) } }),
  refuse("Dataset", "a webhook's token itself", { ...dataset, webhook: { tokenSha256: "secret" } }, /tokenSha256/),
  accept("Dataset", "a larger pod", { ...dataset, resources: { requests: { cpu: 2 }, limits: { memory: "8Gi" } } }),
];

export const datasets: Case[] = [
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
  refuse("Dataset", "a split called all", { ...dataset, splits: { all: 80, test: 20 } }, /splits.*called all/s),
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
  ...tables,
];
