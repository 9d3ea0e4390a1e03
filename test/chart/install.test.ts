/** The chart and the examples against a real API server. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../cluster/command.ts";
import { type ControlPlane, startControlPlane } from "../cluster/control-plane.ts";
import { binary } from "../cluster/tools.ts";
import { chartFolder, type Manifest, parseManifests, render, repository } from "./chart.ts";

const examples = join(repository, "examples/wine");
let controlPlane: ControlPlane;
let kubectlPath: string;

async function kubectl(args: readonly string[], input?: object): Promise<string> {
  return run(kubectlPath, ["--kubeconfig", controlPlane.kubeconfig, ...args], { input: JSON.stringify(input ?? "") });
}

async function helm(...args: string[]): Promise<string> {
  return run(await binary("helm"), ["--kubeconfig", controlPlane.kubeconfig, "--namespace", "lemnis-system", ...args]);
}

beforeAll(async () => {
  kubectlPath = await binary("kubectl");
  controlPlane = await startControlPlane();
  await helm("install", "lemnis", chartFolder, "--create-namespace");
}, 900_000);
afterAll(() => controlPlane?.stop());

test("installing again changes nothing", async () => {
  const before = await helm("get", "manifest", "lemnis");
  await helm("upgrade", "lemnis", chartFolder);
  expect(await helm("get", "manifest", "lemnis")).toBe(before);
});

test("every pod is admitted where the restricted standard is enforced", async () => {
  await kubectl(["create", "namespace", "restricted"]);
  await kubectl(["label", "namespace", "restricted", "pod-security.kubernetes.io/enforce=restricted"]);
  const objects: Manifest[] = [...(await render()), ...readExamples().flat()];
  const pods = objects.flatMap(({ metadata, spec }) =>
    spec?.template ? [{ name: metadata.name, ...spec.template }] : [],
  );
  expect(pods.map(({ name }) => name).sort()).toEqual(["lemnis-operator", "lemnis-store", "wine-source"]);
  for (const { name, spec } of pods) {
    // The claim of the StatefulSet's own template is a volume that only its controller adds.
    const volumes = [...(spec.volumes ?? []), ...(name === "lemnis-store" ? [{ name: "data", emptyDir: {} }] : [])];
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "restricted" },
      spec: { ...spec, volumes },
    };
    expect(await kubectl(["create", "-f", "-"], pod)).toContain("created");
  }
});

describe("rights", () => {
  const may = (account: string, verb: string, resource: string, namespace: string) => {
    const [path = "", name] = resource.split(":");
    const [type = "", subresource] = path.split("/");
    const [plural, ...group] = type.split(".");
    const resourceAttributes = { verb, resource: plural, group: group.join("."), subresource, name, namespace };
    const user = `system:serviceaccount:lemnis-system:${account}`;
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user, resourceAttributes },
    };
    return kubectl(["create", "-f", "-", "-o", "jsonpath={.status.allowed}"], review);
  };

  test.each([
    ["lemnis-operator", "patch", "models.lemnis.dev/status", "default", "true"],
    ["lemnis-operator", "create", "jobs.batch", "default", "true"],
    ["lemnis-operator", "create", "events.events.k8s.io", "default", "true"],
    ["lemnis-operator", "update", "leases.coordination.k8s.io:lemnis-operator", "lemnis-system", "true"],
    ["lemnis-operator", "update", "leases.coordination.k8s.io:another", "lemnis-system", "false"],
    ["lemnis-operator", "update", "leases.coordination.k8s.io:lemnis-operator", "default", "false"],
    ["lemnis-operator", "get", "secrets", "default", "false"],
    ["lemnis-operator", "list", "secrets", "lemnis-system", "false"],
    ["lemnis-operator", "delete", "models.lemnis.dev", "default", "false"],
    ["lemnis-operator", "create", "pods", "default", "false"],
    ["lemnis-operator", "patch", "configmaps", "default", "false"],
    ["lemnis-operator", "patch", "datasets.lemnis.dev", "default", "true"],
    ["lemnis-operator", "patch", "models.lemnis.dev", "default", "false"],
    ["lemnis-store", "create", "tokenreviews.authentication.k8s.io", "default", "true"],
    ["lemnis-store", "list", "pods", "default", "false"],
    ["lemnis-store", "get", "models.lemnis.dev", "default", "false"],
  ])("%s: %s %s in %s: %s", async (account, verb, resource, namespace, answer) => {
    expect(await may(account, verb, resource, namespace)).toBe(answer);
  });
});

describe("spec.parameters of a TrainingJob", () => {
  const trainingJob = (name: string, parameters?: unknown) => ({
    apiVersion: "lemnis.dev/v1alpha1",
    kind: "TrainingJob",
    metadata: { name, namespace: "default" },
    spec: { modelRef: { name: "wine" }, ...(parameters === undefined ? {} : { parameters }) },
  });
  const create = (object: object) => kubectl(["create", "--dry-run=server", "-f", "-"], object);

  // A policy is not in force the moment that it is created.
  beforeAll(async () => {
    const deadline = Date.now() + 60_000;
    const isRefused = () =>
      create(trainingJob("probe", { list: [] })).then(
        () => false,
        () => true,
      );
    while (!(await isRefused())) {
      if (Date.now() > deadline) throw new Error("the ValidatingAdmissionPolicy is not in force after 60 s");
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }, 90_000);

  test.each([
    ["scalars", { C: 1, tol: 1e-4, solver: "lbfgs", warm: true, "max-iter": 3, "a.b/c": "" }],
    ["an empty map", {}],
    ["nothing", undefined],
    ["a name of 128 characters", { ["x".repeat(128)]: 1 }],
  ])("may hold %s", async (_, parameters) => {
    expect(await create(trainingJob("ok", parameters))).toContain("created");
  });

  test.each([
    ["a list", { C: 1, layers: [1, 2] }, "spec.parameters.layers must be a string, a number or a boolean"],
    ["a map", { nested: { a: 1 } }, "spec.parameters.nested must be a string, a number or a boolean"],
    ["null", { nothing: null }, "spec.parameters.nothing must be a string, a number or a boolean"],
    ["an empty name", { "": 1 }, "names in spec.parameters must have 1 to 128 characters"],
    ["a name of 129 characters", { ["x".repeat(129)]: 1 }, "names in spec.parameters must have 1 to 128 characters"],
  ])("is refused with %s", async (_, parameters, message) => {
    await expect(create(trainingJob("bad", parameters))).rejects.toThrow(message);
  });

  test("is checked on updates too", async () => {
    await kubectl(["create", "-f", "-"], trainingJob("updated", { C: 1 }));
    const patch = JSON.stringify({ spec: { parameters: { C: [1] } } });
    await expect(kubectl(["patch", "trainingjob", "updated", "--type", "merge", "-p", patch])).rejects.toThrow(
      "spec.parameters.C must be a string, a number or a boolean",
    );
  });
});

describe("the operator's right to write Datasets", () => {
  const operator = ["--as", "system:serviceaccount:lemnis-system:lemnis-operator"];
  const patch = (change: object) =>
    kubectl([...operator, "patch", "dataset", "guarded", "--type", "merge", "-p", JSON.stringify(change)]);

  beforeAll(async () => {
    const spec = { source: { uri: "http://host/wine.csv" } };
    await kubectl(["create", "-f", "-"], {
      ...{ apiVersion: "lemnis.dev/v1alpha1", kind: "Dataset", metadata: { name: "guarded" }, spec },
    });
    const deadline = Date.now() + 60_000;
    const isRefused = () =>
      patch({ spec: { retain: Math.ceil(Math.random() * 1000) } }).then(
        () => false,
        () => true,
      );
    while (!(await isRefused())) {
      if (Date.now() > deadline) throw new Error("the ValidatingAdmissionPolicy is not in force after 60 s");
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }, 90_000);

  test("is for annotations", async () => {
    expect(await patch({ metadata: { annotations: { "lemnis.dev/refresh": "now" } } })).toContain("patched");
  });

  test("and for nothing that users ask for", async () => {
    const other = { spec: { source: { uri: "http://elsewhere/wine.csv" } } };
    await expect(patch(other)).rejects.toThrow("the operator does not change what users ask for");
    for (const [changes, says] of [
      [{ annotations: { other: "x" } }, "no annotation but lemnis.dev/refresh"],
      [{ labels: { other: "x" } }, "does not change labels"],
      [{ finalizers: ["example.com/keep"] }, "does not change labels, finalizers or owners"],
    ] as const)
      await expect(patch({ metadata: changes })).rejects.toThrow(says);
    const user = ["patch", "dataset", "guarded", "--type", "merge", "-p", JSON.stringify(other)];
    expect(await kubectl(user)).toContain("patched");
  });
});

test.each(["forwards", "backwards"])("the examples apply in any order: %s", async (order) => {
  const files = readdirSync(examples)
    .filter((file) => file.endsWith(".yaml"))
    .sort();
  if (order === "backwards") files.reverse();
  await kubectl(["create", "namespace", order]);
  for (const file of files) {
    await kubectl(["--namespace", order, "apply", "--server-side", "--validate=strict", "-f", join(examples, file)]);
  }
  const again = await kubectl(["--namespace", order, "diff", "--server-side", "-f", examples]).catch(String);
  expect(again).toBe("");
});

function readExamples(): Manifest[][] {
  return readdirSync(examples)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => parseManifests(readFileSync(join(examples, file), "utf8")));
}
