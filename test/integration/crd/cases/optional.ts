/** Cases of the fields that need other projects. */
import { accept, type Case, refuse } from "./case.ts";

const service = { modelRef: { name: "wine" } };
const hostnames = ["wine.example.com"];
const by = (...parentRefs: object[]) => ({ ...service, gateway: { parentRefs, hostnames } });

const gateways: Case[] = [
  accept("InferenceService", "a gateway", by({ name: "public" })),
  accept("InferenceService", "all of a gateway", {
    ...service,
    gateway: {
      parentRefs: [{ name: "public", namespace: "infra", sectionName: "https", port: 443 }, { name: "inside" }],
      hostnames: ["wine.example.com", "*.wine.example.com"],
    },
  }),
  accept(
    "InferenceService",
    "a Gateway twice with other sections",
    by({ name: "a", sectionName: "http" }, { name: "a", sectionName: "https" }),
  ),
  accept("InferenceService", "a Gateway twice with other ports", by({ name: "a", port: 80 }, { name: "a", port: 443 })),
  accept("InferenceService", "Gateways of other namespaces", by({ name: "a" }, { name: "a", namespace: "b" })),
  refuse(
    "InferenceService",
    "a Gateway twice",
    by({ name: "a", port: 80 }, { name: "a", port: 80 }),
    /parentRefs must differ in name, namespace, sectionName or port/,
  ),
  refuse(
    "InferenceService",
    "a Gateway twice, once as a whole",
    by({ name: "a" }, { name: "a", sectionName: "b" }),
    /named twice needs a sectionName each time/,
  ),
  refuse("InferenceService", "no Gateway", by(), /gateway.parentRefs/s),
  refuse("InferenceService", "a Gateway without a name", by({ port: 80 }), /parentRefs.*name/s),
  refuse("InferenceService", "port 0 of a Gateway", by({ name: "a", port: 0 }), /parentRefs.*port/s),
  ...["Wine.example.com", "wine.*.com", "*", "-a.com", "a..b", "http://a", ""].map((hostname) =>
    refuse(
      "InferenceService",
      `the hostname ${hostname}`,
      { ...service, gateway: { parentRefs: [{ name: "a" }], hostnames: [hostname] } },
      /hostnames/,
    ),
  ),
];

const coded = (code: object) => ({ ...service, code });
const git = (path: string) => coded({ gitRepositoryRef: { name: "code", path } });
const codes: Case[] = [
  accept("TrainingJob", "code of a commit", coded({ gitRepositoryRef: { name: "code" } })),
  ...["train", "./train/", "a/b.c/d_e-f@1", "..train"].map((path) =>
    accept("TrainingJob", `the folder ${path}`, git(path)),
  ),
  refuse("TrainingJob", "no code", coded({}), /code.*exactly one of configMapRef and gitRepositoryRef/s),
  refuse(
    "TrainingJob",
    "code from two places",
    coded({ configMapRef: { name: "a" }, gitRepositoryRef: { name: "b" } }),
    /code.*exactly one of configMapRef and gitRepositoryRef/s,
  ),
  ...["/train", "a//b", "a b", "a\\b", "a\nb", ""].map((path) =>
    refuse("TrainingJob", `the folder ${JSON.stringify(path)}`, git(path), /gitRepositoryRef.path/),
  ),
  ...["..", "../a", "a/../../b", "a/.."].map((path) =>
    refuse("TrainingJob", `the folder ${path}`, git(path), /gitRepositoryRef.path.*must not hold \.\. segments/s),
  ),
];

const promising = (slo: object) => ({ modelRef: { name: "wine" }, slo });
const fast = (threshold: string) => promising({ latency: { threshold, percent: 99 } });
const objectives: Case[] = [
  accept(
    "InferenceService",
    "both objectives",
    promising({ availability: 99.9, latency: { threshold: "200ms", percent: 99 } }),
  ),
  ...[90, 99.999].map((availability) =>
    accept("InferenceService", `availability ${availability}`, promising({ availability })),
  ),
  ...["5ms", "2.5s", "10s", "10000ms"].map((threshold) =>
    accept("InferenceService", `latency ${threshold}`, fast(threshold)),
  ),
  refuse("InferenceService", "no objective", promising({}), /slo.*availability or latency, or both/s),
  ...[89.9, 99.9999, 100, "99"].map((availability) =>
    refuse("InferenceService", `availability ${availability}`, promising({ availability }), /slo.availability/s),
  ),
  ...["4ms", "10001ms", "10.5s", "0s"].map((threshold) =>
    refuse("InferenceService", `latency ${threshold}`, fast(threshold), /threshold.*must be from 5ms to 10s/s),
  ),
  ...["200", "1m", "1h", "-1s", "200 ms", "1s500ms"].map((threshold) =>
    refuse("InferenceService", `latency ${threshold}`, fast(threshold), /latency.threshold/s),
  ),
];

const scaleQuery = { serverAddress: "http://prometheus:9090/prefix", query: "sum(rate(x[1m]))", threshold: 0.5 };
const scaled = (changes: object, range: object = { maxReplicas: 3 }) => ({
  ...{ modelRef: { name: "wine" }, ...range },
  scaleQuery: { ...scaleQuery, ...changes },
});
const queries: Case[] = [
  accept("InferenceService", "a query to scale by", scaled({})),
  refuse("InferenceService", "a query and nothing to scale", scaled({}, {}), /scaleQuery needs a maxReplicas/),
  refuse(
    "InferenceService",
    "a query and one number of replicas",
    scaled({}, { minReplicas: 3, maxReplicas: 3 }),
    /scaleQuery needs a maxReplicas/,
  ),
  ...["prometheus:9090", "http://", "http://u:p@host", "http://host?x=1", "file:///x", "http://a b"].map(
    (serverAddress) =>
      refuse(
        "InferenceService",
        `Prometheus at ${serverAddress}`,
        scaled({ serverAddress }),
        /scaleQuery.serverAddress/s,
      ),
  ),
  ...[0, -1, "5"].map((threshold) =>
    refuse("InferenceService", `a threshold of ${threshold}`, scaled({ threshold }), /scaleQuery.threshold/s),
  ),
  refuse("InferenceService", "an empty query", scaled({ query: "" }), /scaleQuery.query/s),
];

export const optionalCases: readonly Case[] = [...gateways, ...codes, ...objectives, ...queries];
