import { expect, test } from "vitest";
import { find, type Manifest, type Rule, render } from "./chart.ts";

const manifests = await render({ "metrics.serviceMonitor.enabled": true });
const roles = manifests.filter(({ kind }) => kind === "ClusterRole" || kind === "Role");

function rules(role: Manifest): Rule[] {
  return role.rules ?? [];
}

/** "group/resource verb" of all that a role allows. */
function rights(role: Manifest): string[] {
  return rules(role).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`))),
  );
}

test("there are roles for the operator, the store and users", () => {
  expect(roles.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()).toEqual([
    "ClusterRole/lemnis-edit",
    "ClusterRole/lemnis-operator",
    "ClusterRole/lemnis-store",
    "ClusterRole/lemnis-view",
    "Role/lemnis-operator",
    "Role/lemnis-store-reader",
  ]);
});

test.each(roles)("$kind $metadata.name has no wildcard and no right on Secrets or on other rights", (role) => {
  const all = rights(role);
  expect(all.length).toBeGreaterThan(0);
  expect(all.filter((right) => right.includes("*"))).toEqual([]);
  // But the one that kubectl lemnis needs, which the cluster's own role edit has anyhow: see below.
  const others = all.filter((right) => right !== "/serviceaccounts/token create");
  expect(
    others.filter((right) =>
      /^\/secrets|^rbac\.|serviceaccounts|pods\/exec|nodes|impersonate|escalate|bind$/.test(right),
    ),
  ).toEqual([]);
});

test("the store may ask whose token it was shown, and nothing else", () => {
  expect(rights(find(manifests, "ClusterRole", "lemnis-store"))).toEqual(["authentication.k8s.io/tokenreviews create"]);
});

test("the operator writes its children, events and status, and nothing else cluster-wide", () => {
  const written = rights(find(manifests, "ClusterRole", "lemnis-operator")).filter(
    (right) => !/ (get|list|watch)$/.test(right),
  );
  expect([...new Set(written.map((right) => right.split(" ")[0]))].sort()).toEqual([
    "/services",
    "apps/deployments",
    "autoscaling/horizontalpodautoscalers",
    "batch/jobs",
    "events.k8s.io/events",
    "gateway.networking.k8s.io/httproutes",
    "keda.sh/scaledobjects",
    "lemnis.dev/datasets",
    "lemnis.dev/datasets/finalizers",
    "lemnis.dev/datasets/status",
    "lemnis.dev/inferenceservices/finalizers",
    "lemnis.dev/inferenceservices/status",
    "lemnis.dev/models/finalizers",
    "lemnis.dev/models/status",
    "lemnis.dev/trainingjobs/finalizers",
    "lemnis.dev/trainingjobs/status",
    "monitoring.coreos.com/prometheusrules",
    "monitoring.coreos.com/servicemonitors",
    "policy/poddisruptionbudgets",
  ]);
});

test("of kinds that are others' it reads the objects, and no more", () => {
  const all = rights(find(manifests, "ClusterRole", "lemnis-operator"));
  const readOnly = all.filter((right) => /^(kueue|source\.toolkit|apiextensions)/.test(right));
  expect(readOnly).toEqual([
    ...["list", "watch"].map((verb) => `kueue.x-k8s.io/localqueues ${verb}`),
    ...["list", "watch"].map((verb) => `source.toolkit.fluxcd.io/gitrepositories ${verb}`),
    ...["get", "list", "watch"].map((verb) => `apiextensions.k8s.io/customresourcedefinitions ${verb}`),
  ]);
});

test("without the webhook the operator can't write Datasets at all", async () => {
  const without = await render({ "webhook.enabled": false });
  const all = rights(find(without, "ClusterRole", "lemnis-operator"));
  expect(all.filter((right) => /^lemnis\.dev\/[a-z]+ /.test(right) && !/ (get|list|watch)$/.test(right))).toEqual([]);
  expect(without.filter(({ metadata }) => metadata.name === "lemnis-operator-datasets")).toEqual([]);
  expect(without.filter(({ kind, metadata }) => kind === "Service" && metadata.name === "lemnis-operator")).toEqual([]);
});

test("Leases are the operator's in its own namespace only", () => {
  const role = find(manifests, "Role", "lemnis-operator");
  expect(role.metadata.namespace).toBe("lemnis-system");
  expect([...new Set(rights(role).map((right) => right.split(" ")[0]))]).toEqual(["coordination.k8s.io/leases"]);
});

test("kubectl lemnis reads the store by way of the API server, with tokens that only editors of the namespace make", async () => {
  const reader = find(manifests, "Role", "lemnis-store-reader");
  expect(reader.metadata.namespace).toBe("lemnis-system");
  expect(rules(reader)).toEqual([
    { apiGroups: [""], resources: ["services/proxy"], resourceNames: ["http:lemnis-store:http"], verbs: ["get"] },
  ]);
  const tokens = roles.filter((role) => rights(role).includes("/serviceaccounts/token create"));
  expect(tokens.map(({ metadata }) => metadata.name)).toEqual(["lemnis-edit"]);
  expect(tokens.flatMap(rules).find(({ resources }) => resources.includes("serviceaccounts/token"))).toMatchObject({
    resourceNames: ["default"],
  });
  const { subjects } = find(manifests, "RoleBinding", "lemnis-store-reader") as Manifest & { subjects: object[] };
  expect(subjects).toEqual([{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:authenticated" }]);
  const none = await render({ "rbac.pluginAccess": [] });
  expect(none.filter(({ metadata }) => metadata.name === "lemnis-store-reader")).toEqual([]);
});

test("users get the namespaced kinds by the cluster's own roles, and never change runtimes or status", async () => {
  const view = find(manifests, "ClusterRole", "lemnis-view");
  const edit = find(manifests, "ClusterRole", "lemnis-edit");
  expect(view.metadata.labels).toMatchObject({ "rbac.authorization.k8s.io/aggregate-to-view": "true" });
  expect(edit.metadata.labels).toMatchObject({ "rbac.authorization.k8s.io/aggregate-to-edit": "true" });
  expect(rights(view).filter((right) => !/ (get|list|watch)$/.test(right))).toEqual([]);
  expect(rights(edit).filter((right) => /runtimes|\/status/.test(right))).toEqual([]);
  const apart = find(await render({ "rbac.aggregateToDefaultRoles": false }), "ClusterRole", "lemnis-edit");
  expect(Object.keys(apart.metadata.labels ?? {}).filter((label) => label.includes("aggregate"))).toEqual([]);
});

test("every binding binds a role and an account of the chart", () => {
  const bindings = manifests.filter(
    ({ kind }) => kind.endsWith("Binding") && kind !== "ValidatingAdmissionPolicyBinding",
  );
  expect(bindings).toHaveLength(4);
  for (const binding of bindings as (Manifest & {
    roleRef: { kind: string; name: string };
    subjects: { kind: string; name: string }[];
  })[]) {
    find(manifests, binding.roleRef.kind, binding.roleRef.name);
    for (const { kind, name } of binding.subjects) if (kind !== "Group") find(manifests, kind, name);
  }
});
