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
  ]);
});

test.each(roles)("$kind $metadata.name has no wildcard and no right on Secrets or on other rights", (role) => {
  const all = rights(role);
  expect(all.length).toBeGreaterThan(0);
  expect(all.filter((right) => right.includes("*"))).toEqual([]);
  expect(
    all.filter((right) => /^\/secrets|^rbac\.|serviceaccounts|pods\/exec|nodes|impersonate|escalate|bind$/.test(right)),
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

test("Leases are the operator's in its own namespace only", () => {
  const role = find(manifests, "Role", "lemnis-operator");
  expect(role.metadata.namespace).toBe("lemnis-system");
  expect([...new Set(rights(role).map((right) => right.split(" ")[0]))]).toEqual(["coordination.k8s.io/leases"]);
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
  expect(bindings).toHaveLength(3);
  for (const binding of bindings as (Manifest & {
    roleRef: { kind: string; name: string };
    subjects: { name: string }[];
  })[]) {
    find(manifests, binding.roleRef.kind, binding.roleRef.name);
    for (const { name } of binding.subjects) find(manifests, "ServiceAccount", name);
  }
});
