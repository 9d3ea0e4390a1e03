import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kinds } from "../../operator/api/v1alpha1/index.ts";
import { find, type Manifest, parseManifests, render, repository, restrictedViolations } from "./chart.ts";

const folder = join(repository, "examples/wine");
const objects = readdirSync(folder)
  .filter((file) => file.endsWith(".yaml"))
  .flatMap((file) => parseManifests(readFileSync(join(folder, file), "utf8")));
const ours = objects.filter(({ apiVersion }) => apiVersion.startsWith("lemnis.dev/"));

test("the example has each namespaced kind once", () => {
  const namespaced = kinds.filter(({ scope }) => scope === "Namespaced").map(({ kind }) => kind);
  expect(ours.map(({ kind }) => kind).sort()).toEqual(namespaced.sort());
});

test.each(ours)("$kind $metadata.name is what its schema allows", ({ kind, spec }: Manifest) => {
  const schema = kinds.find((definition) => definition.kind === kind)?.spec;
  expect(schema?.safeParse(spec).error?.issues ?? []).toEqual([]);
});

test("the source's pod is restricted and uses the image that the chart's runtimes use by default", async () => {
  const { template } = find(objects, "Deployment", "wine-source").spec ?? {};
  expect(template && restrictedViolations(template)).toEqual([]);
  const runtime = find(await render(), "TrainingRuntime", "sklearn").spec?.container as { image: string };
  expect(template?.spec.containers[0]?.image).toBe(runtime.image);
});

test("nothing names a namespace", () => {
  expect(objects.filter(({ metadata }) => metadata.namespace !== undefined)).toEqual([]);
});
