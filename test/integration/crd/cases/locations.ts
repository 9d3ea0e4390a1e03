import { accept, type Case, refuse } from "./case.ts";

const long = (length: number) => "x".repeat(length);

export const locations: Case[] = [
  ...[
    "https://host/a.csv",
    "http://host:8080/a?b=c",
    "s3://bucket/key",
    "s3://bucket/prefix/",
    "pvc://claim/a/b.csv",
    "configmap://data/wine.csv",
    "pvc://claim/a..b/c.csv",
  ].map((uri) => accept("Dataset", `source.uri ${uri}`, { source: { uri } })),
  ...["file:///etc/passwd", "ftp://host/a", "host/a.csv", "HTTP://host/a", "http:///a.csv", "s3://"].map((uri) =>
    refuse("Dataset", `source.uri ${uri}`, { source: { uri } }, /source.uri.*must be a uri that begins with http/s),
  ),
  ...["pvc://claim/../other", "pvc://claim/a/..", "s3://bucket/a/../../b"].map((uri) =>
    refuse("Dataset", `source.uri ${uri}`, { source: { uri } }, /source.uri.*must not hold \.\. segments/s),
  ),
  refuse("Dataset", "a password in the uri", { source: { uri: "https://u:p@host/a" } }, /source.uri.*secretRef/s),
  refuse("Dataset", "a space in the uri", { source: { uri: "https://host/a b" } }, /source.uri.*must not hold spaces/s),
  refuse(
    "Dataset",
    "a newline in the uri",
    { source: { uri: "https://host/a\nb" } },
    /source.uri.*must not hold spaces/s,
  ),
  refuse("Dataset", "a uri of 2049 characters", { source: { uri: `https://host/${long(2036)}` } }, /source.uri/),
];
