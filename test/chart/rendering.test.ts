import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { readOperatorSettings } from "../../operator/config.ts";
import { DatasetMetrics } from "../../operator/dataset-metrics.ts";
import { run } from "../cluster/command.ts";
import { binary } from "../cluster/tools.ts";
import { chartFolder, find, type Manifest, render, renderText, repository, restrictedViolations } from "./chart.ts";

/** What Kubernetes or the chart sets beside it. */
const required = { POD_NAME: "a", POD_NAMESPACE: "b", LEMNIS_STORE_URL: "http://store" };
const everything = {
  "metrics.prometheusRule": { enabled: true, labels: { team: "ml" } },
  "sources.deniedRanges": ["10.0.0.0/8"],
  "metrics.serviceMonitor": { enabled: true, labels: { team: "ml" } },
  imagePullSecrets: [{ name: "registry" }],
  "operator.nodeSelector": { disk: "ssd" },
  "store.tolerations": [{ key: "gpu", operator: "Exists" }],
  "operator.podLabels": { team: "ml" },
  "operator.serviceAccount.annotations": { role: "arn" },
};

interface Alert {
  alert: string;
  expr: string;
  annotations: { summary: string; description: string };
}
interface MonitorSpec {
  selector: { matchLabels: Record<string, string> };
  endpoints: { port: string }[];
}

function env(manifest: Manifest): Record<string, string | undefined> {
  const container = manifest.spec?.template?.spec.containers[0];
  return Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
}

test("helm lint finds nothing", async () => {
  const output = await run(await binary("helm"), ["lint", chartFolder, "--strict", "--kube-version", "1.31.0"]);
  expect(output).toContain("0 chart(s) failed");
  expect(output).not.toMatch(/\[(WARNING|ERROR)\]/);
});

test("the same values render the same text", async () => {
  expect(await renderText(everything)).toBe(await renderText(everything));
});

test.each([{}, everything])("every pod is restricted, with %j", async (values) => {
  const pods = (await render(values)).flatMap(({ kind, metadata, spec }) =>
    spec?.template ? [{ object: `${kind}/${metadata.name}`, violations: restrictedViolations(spec.template) }] : [],
  );
  expect(pods).toEqual([
    { object: "Deployment/lemnis-operator", violations: [] },
    { object: "StatefulSet/lemnis-store", violations: [] },
  ]);
});

test("the store has the address of its PostgreSQL from the Secret alone, and asks for none by default", async () => {
  const variables = async (values: Record<string, unknown>) => {
    const store = find(await render(values), "StatefulSet", "lemnis-store");
    const all = (store?.spec?.template?.spec.containers[0]?.env ?? []) as { name: string; valueFrom?: unknown }[];
    return all.filter(({ name }) => name.startsWith("LEMNIS_STORE_POSTGRESQL_"));
  };
  const from = (key: string, rest = {}) => ({ valueFrom: { secretKeyRef: { name: "database", key, ...rest } } });
  expect(await variables({ "store.postgresql.existingSecret": "database" })).toEqual([
    { name: "LEMNIS_STORE_POSTGRESQL_URL", ...from("url") },
    { name: "LEMNIS_STORE_POSTGRESQL_CA", ...from("ca.crt", { optional: true }) },
  ]);
  expect(await variables({})).toEqual([]);
});

test("operator and store are told of each other", async () => {
  const manifests = await render({ fullnameOverride: "ml" });
  const operator = find(manifests, "Deployment", "ml-operator");
  find(manifests, "Service", "ml-store");
  find(manifests, "ServiceAccount", "ml-operator");
  expect(env(operator)).toMatchObject({
    LEMNIS_STORE_URL: "http://ml-store.lemnis-system.svc:8080",
    LEMNIS_AGENT_IMAGE: operator.spec?.template?.spec.containers[0]?.image,
    LEMNIS_AGENT_IMAGE_PULL_POLICY: "IfNotPresent",
    LEMNIS_DRAIN_SECONDS: "30",
  });
  expect(env(find(manifests, "StatefulSet", "ml-store"))).toMatchObject({
    LEMNIS_OPERATOR_SERVICE_ACCOUNT: "lemnis-system/ml-operator",
  });
});

test("the operator's token for the store is bound to the store's audience", async () => {
  const pod = find(await render(), "Deployment", "lemnis-operator").spec?.template?.spec;
  const volume = pod?.volumes?.find(({ name }) => name === "store-token");
  expect(volume?.projected).toEqual({
    sources: [{ serviceAccountToken: { audience: "lemnis-store", expirationSeconds: 3600, path: "token" } }],
  });
  const folder = pod?.containers[0]?.volumeMounts?.find(({ name }) => name === "store-token")?.mountPath;
  expect(env(find(await render(), "Deployment", "lemnis-operator")).LEMNIS_STORE_TOKEN_FILE).toBe(`${folder}/token`);
});

test("a digest takes the tag's place", async () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const manifests = await render({ "image.digest": digest, "image.tag": "x", "runtimes.sklearn.image.tag": "y" });
  const image = find(manifests, "StatefulSet", "lemnis-store").spec?.template?.spec.containers[0]?.image;
  expect(image).toBe(`docker.io/lemnis/lemnis@${digest}`);
  const runtime = find(manifests, "ServingRuntime", "mlserver").spec?.container as { image: string };
  expect(runtime.image).toBe("docker.io/lemnis/sklearn:y");
});

test("trains and serves sklearn in the same image, or not at all", async () => {
  const manifests = await render();
  const [serving, training] = ["ServingRuntime/mlserver", "TrainingRuntime/sklearn"].map((object) => {
    const [kind = "", name = ""] = object.split("/");
    return find(manifests, kind, name).spec?.container as { image: string };
  });
  expect(serving?.image).toBe(training?.image);
  const without = await render({ "runtimes.sklearn.enabled": false });
  expect(without.filter(({ kind }) => kind.endsWith("Runtime"))).toEqual([]);
});

test("an existing claim takes the place of the chart's own", async () => {
  const own = find(await render({ "store.persistence.storageClass": "fast" }), "StatefulSet", "lemnis-store");
  expect(own.spec?.volumeClaimTemplates).toMatchObject([
    { spec: { storageClassName: "fast", resources: { requests: { storage: "10Gi" } } } },
  ]);
  const given = find(await render({ "store.persistence.existingClaim": "mine" }), "StatefulSet", "lemnis-store");
  expect(given.spec).not.toHaveProperty("volumeClaimTemplates");
  expect(given.spec?.template?.spec.volumes).toContainEqual({
    name: "data",
    persistentVolumeClaim: { claimName: "mine" },
  });
});

test("ServiceMonitors select a Service's labels and port", async () => {
  const manifests = await render({ "metrics.serviceMonitor.enabled": true });
  for (const name of ["lemnis-operator", "lemnis-store"]) {
    const { spec } = find(manifests, "ServiceMonitor", name) as Manifest & { spec: MonitorSpec };
    const wanted = Object.entries(spec.selector.matchLabels);
    const selected = manifests.filter(
      ({ kind, metadata }) => kind === "Service" && wanted.every(([key, value]) => metadata.labels?.[key] === value),
    );
    expect(selected.map(({ metadata }) => metadata.name)).toEqual([name]);
    expect(selected[0]?.spec?.ports).toContainEqual(expect.objectContaining({ name: spec.endpoints[0]?.port }));
  }
});

test("the operator is told of denied networks, and none by default", async () => {
  const told = async (values: object) => env(find(await render({ ...values }), "Deployment", "lemnis-operator"));
  expect(await told({})).not.toHaveProperty("LEMNIS_DENIED_RANGES");
  const denied = await told({ "sources.deniedRanges": ["10.0.0.0/8", "fd00::/8"] });
  expect(readOperatorSettings({ ...denied, ...required }).LEMNIS_DENIED_RANGES).toEqual(["10.0.0.0/8", "fd00::/8"]);
});

test("webhooks are called at port 80 of the operator's Service", async () => {
  const manifests = await render();
  const [port] = (find(manifests, "Service", "lemnis-operator").spec?.ports ?? []) as {
    port: number;
    targetPort: string;
  }[];
  expect(port).toMatchObject({ port: 80, targetPort: "webhook" });
  const [container] = find(manifests, "Deployment", "lemnis-operator").spec?.template?.spec.containers ?? [];
  expect(container).toMatchObject({ ports: expect.arrayContaining([{ name: "webhook", containerPort: 8082 }]) });
});

test("every alert asks for metrics that there are, and says what to do", async () => {
  const rule = find(await render({ "metrics.prometheusRule.enabled": true }), "PrometheusRule", "lemnis-datasets");
  const { groups } = rule.spec as unknown as { groups: { rules: Alert[] }[] };
  const registry = new Registry();
  new DatasetMetrics(registry);
  const known = (await registry.getMetricsAsJSON()).map(({ name }) => name);
  const alerts = groups.flatMap(({ rules }) => rules);
  expect(alerts.map(({ alert }) => alert)).toHaveLength(5);
  for (const { expr, annotations, ...alert } of alerts) {
    const asked = expr.match(/lemnis_[a-z_]+/g) ?? [];
    expect(known).toEqual(expect.arrayContaining(asked));
    expect(asked.length).toBeGreaterThan(0);
    expect(annotations.summary).toContain("{{ $labels.namespace }}/{{ $labels.dataset }}");
    expect(annotations.description).toMatch(/\.$/);
    expect(alert).toMatchObject({ for: expect.stringMatching(/^[0-9]+m$/), labels: { severity: "warning" } });
  }
});

test("no selector matches another component's pods", async () => {
  const manifests = await render(everything);
  const pods = manifests.flatMap(({ spec }) => (spec?.template ? [spec.template.metadata.labels ?? {}] : []));
  for (const { kind, metadata, spec } of manifests.filter(({ kind }) => kind === "Service")) {
    const selector = Object.entries(spec?.selector as Record<string, string>);
    const matches = pods.filter((labels) => selector.every(([key, value]) => labels[key] === value));
    expect(matches, `${kind}/${metadata.name}`).toHaveLength(1);
  }
});

test("the chart's CRDs are the generated ones", () => {
  const read = (folder: string) =>
    Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]));
  expect(read(join(chartFolder, "crds"))).toEqual(read(join(repository, "crds")));
});

test("chart and package have one version", () => {
  const chart = load(readFileSync(join(chartFolder, "Chart.yaml"), "utf8")) as { version: string; appVersion: string };
  const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { version: string };
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
});
