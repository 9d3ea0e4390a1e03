/** Where data and models may be, and what goes with which place. */
import { accept, type Case, digest, refuse } from "./case.ts";

const long = (length: number) => "x".repeat(length);
const model = { task: "Classification", format: { name: "sklearn" } };

const uris: Case[] = [
  ...[
    "https://host/a.csv",
    "http://host:8080/a?b=c",
    "s3://bucket/key",
    "s3://bucket/prefix/",
    "pvc://claim/a/b.csv",
    "configmap://data/wine.csv",
    "s3://bucket/day=*/part-?.csv",
    "gs://bucket/prefix/",
    "az://account/container/blob",
    "git+https://host/team/data.git",
    "git+ssh://git@host:2222/team/data.git",
    "oci://registry:5000/team/data:v1",
    "pvc://claim/a..b/c.csv",
  ].map((uri) => accept("Dataset", `source.uri ${uri}`, { source: { uri } })),
  ...["file:///etc/passwd", "ftp://host/a", "host/a.csv", "HTTP://host/a", "http:///a.csv", "s3://"].map((uri) =>
    refuse("Dataset", `source.uri ${uri}`, { source: { uri } }, /source.uri.*must be a uri that begins with http/s),
  ),
  ...["pvc://claim/../other", "pvc://claim/a/..", "s3://bucket/a/../../b"].map((uri) =>
    refuse("Dataset", `source.uri ${uri}`, { source: { uri } }, /source.uri.*must not hold \.\. segments/s),
  ),
  ...["https://u:p@host/a", "https://user@host/a", "git+ssh://git:pass@host/a", "s3://u@bucket/a"].map((uri) =>
    refuse("Dataset", `credentials in ${uri}`, { source: { uri } }, /source.uri.*secretRef/s),
  ),
  refuse("Dataset", "a space in the uri", { source: { uri: "https://host/a b" } }, /source.uri.*must not hold spaces/s),
  refuse(
    "Dataset",
    "a newline in the uri",
    { source: { uri: "https://host/a\nb" } },
    /source.uri.*must not hold spaces/s,
  ),
  refuse("Dataset", "a uri of 2049 characters", { source: { uri: `https://host/${long(2036)}` } }, /source.uri/),
];

const git = { uri: "git+https://host/data.git" };
const postgres = { uri: "postgres://host:5432/database", query: "SELECT 1" };
const withSecret = (source: object) => ({ source: { ...source, secretRef: { name: "access" } } });
const access: Case[] = [
  ...[git, postgres, { uri: "http://host/a" }, { uri: "oci://registry/data" }, { uri: "az://account/data/" }].map(
    (source) => accept("Dataset", `a Secret with ${source.uri}`, withSecret(source)),
  ),
  ...["pvc://claim/a", "configmap://data/a"].map((uri) =>
    refuse("Dataset", `a Secret with ${uri}`, withSecret({ uri }), /source.*secretRef does not go with/s),
  ),
  ...["s3://b/k", "gs://b/k", "az://a/b/k"].map((uri) =>
    accept("Dataset", `an endpoint with ${uri}`, { source: { uri, endpoint: "http://minio:9000" } }),
  ),
  refuse(
    "Dataset",
    "an endpoint with https",
    { source: { uri: "https://h/a", endpoint: "http://a" } },
    /endpoint goes with/,
  ),
  refuse("Dataset", "a region with gs", { source: { uri: "gs://b/k", region: "eu-1" } }, /region goes with an s3/),
  accept("Dataset", "a branch and a folder of a repository", {
    source: { ...git, ref: "release/1.0", path: "data/wine/" },
  }),
  refuse("Dataset", "a ref with s3", { source: { uri: "s3://b/k", ref: "main" } }, /ref and path go with/),
  refuse("Dataset", "a path with https", { source: { uri: "https://h/a", path: "a" } }, /ref and path go with/),
  ...["-x", "a b", "a:b", "", "a^{}"].map((ref) =>
    refuse("Dataset", `the ref ${JSON.stringify(ref)}`, { source: { ...git, ref } }, /source.ref/),
  ),
  ...["../a", "a/../b", "a/..", "."].map((path) =>
    refuse("Dataset", `the path ${path}`, { source: { ...git, path } }, /path must not hold/),
  ),
  ...["/a", "a//b", "a\\b", ""].map((path) =>
    refuse("Dataset", `the path ${JSON.stringify(path)}`, { source: { ...git, path } }, /source.path/),
  ),
  accept("Dataset", "a query", { source: postgres }),
  refuse("Dataset", "a database without a query", { source: { uri: postgres.uri } }, /query goes with/),
  ...[{ format: "Parquet" }, { csv: { delimiter: ";" } }].map((more) =>
    refuse(
      "Dataset",
      `a database with ${Object.keys(more)}`,
      { source: postgres, ...more },
      /leave format and csv out/,
    ),
  ),
  accept("Dataset", "a database as CSV", { source: postgres, format: "CSV" }),
  refuse(
    "Dataset",
    "a query without a database",
    { source: { uri: "s3://b/k", query: "SELECT 1" } },
    /query goes with/,
  ),
  accept("Model", "an import from a repository", { ...model, imports: [{ ...git, digest }] }),
  refuse(
    "Model",
    "an import from a database",
    { ...model, imports: [{ uri: postgres.uri, digest }] },
    /imports.*must be a uri/s,
  ),
  refuse(
    "Model",
    "a Secret for an import from a volume",
    { ...model, imports: [{ uri: "pvc://c/a", digest, secretRef: { name: "a" } }] },
    /imports.*secretRef does not go with/s,
  ),
];

export const locations: readonly Case[] = [...uris, ...access];
