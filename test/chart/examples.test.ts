import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { kinds } from "../../operator/api/v1alpha1/index.ts";
import { find, type Manifest, parseManifests, render, repository, restrictedViolations } from "./chart.ts";

function exampleOf(name: string) {
  const folder = join(repository, "examples", name);
  const objects = readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .flatMap((file) => parseManifests(readFileSync(join(folder, file), "utf8")));
  return { name, objects, ours: objects.filter(({ apiVersion }) => apiVersion.startsWith("lemnis.dev/")) };
}
const examples = ["wine", "features"].map(exampleOf);
const platform = exampleOf("platform");

test("the platform's example shows each field that needs another project", () => {
  const text = JSON.stringify(platform.ours);
  const fields = ["gateway", "scaleQuery", "slo", "queueName", "gitRepositoryRef"];
  expect(fields.filter((field) => !text.includes(`"${field}":`))).toEqual([]);
});

const isAllowed = ({ kind, spec }: Manifest) => {
  const schema = kinds.find((definition) => definition.kind === kind)?.spec;
  expect(schema?.safeParse(spec).error?.issues ?? []).toEqual([]);
};
test.each(platform.ours)("the platform's $kind $metadata.name is what its schema allows", isAllowed);

describe.each(examples)("the example $name", ({ objects, ours }) => {
  test("has each namespaced kind", () => {
    const namespaced = kinds.filter(({ scope }) => scope === "Namespaced").map(({ kind }) => kind);
    expect([...new Set(ours.map(({ kind }) => kind))].sort()).toEqual(namespaced.sort());
  });

  test.each(ours)("$kind $metadata.name is what its schema allows", isAllowed);

  test("refers to Datasets and Models that it has", () => {
    const names = (...wanted: string[]) =>
      ours.filter(({ kind }) => wanted.includes(kind)).map(({ metadata }) => metadata.name);
    const refers = [...JSON.stringify(ours).matchAll(/"(dataset|model)Ref":\{"name":"([^"]+)"/g)];
    expect(refers.length).toBeGreaterThan(3);
    for (const [, kind, name] of refers) expect(names(kind === "model" ? "Model" : "Dataset")).toContain(name);
  });

  test("has a source whose pod is restricted, and which uses the image of the chart's runtimes", async () => {
    const source = objects.filter(({ kind }) => kind === "Deployment");
    expect(source).toHaveLength(1);
    const { template } = source[0]?.spec ?? {};
    expect(template && restrictedViolations(template)).toEqual([]);
    const runtime = find(await render(), "TrainingRuntime", "sklearn").spec?.container as { image: string };
    expect(template?.spec.containers[0]?.image).toBe(runtime.image);
  });

  test("names no namespace", () => {
    expect(objects.filter(({ metadata }) => metadata.namespace !== undefined)).toEqual([]);
  });
});
