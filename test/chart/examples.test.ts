import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kinds } from "../../operator/api/v1alpha1/index.ts";
import { find, type Manifest, parseManifests, render, repository, restrictedViolations } from "./chart.ts";

function manifestsOf(example: string): Manifest[] {
  const folder = join(repository, "examples", example);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .flatMap((file) => parseManifests(readFileSync(join(folder, file), "utf8")));
}
const objects = manifestsOf("wine");
const platform = manifestsOf("platform");
const isOurs = ({ apiVersion }: Manifest) => apiVersion.startsWith("lemnis.dev/");
const ours = objects.filter(isOurs);

test("the example has each namespaced kind once", () => {
  const namespaced = kinds.filter(({ scope }) => scope === "Namespaced").map(({ kind }) => kind);
  expect(ours.map(({ kind }) => kind).sort()).toEqual(namespaced.sort());
});

test("the platform's example shows each field that needs another project", () => {
  const text = JSON.stringify(platform.filter(isOurs));
  const fields = ["gateway", "scaleQuery", "slo", "queueName", "gitRepositoryRef"];
  expect(fields.filter((field) => !text.includes(`"${field}":`))).toEqual([]);
});

test.each([...ours, ...platform.filter(isOurs)])(
  "$kind $metadata.name is what its schema allows",
  ({ kind, spec }: Manifest) => {
    const schema = kinds.find((definition) => definition.kind === kind)?.spec;
    expect(schema?.safeParse(spec).error?.issues ?? []).toEqual([]);
  },
);

test("the source's pod is restricted and uses the image that the chart's runtimes use by default", async () => {
  const { template } = find(objects, "Deployment", "wine-source").spec ?? {};
  expect(template && restrictedViolations(template)).toEqual([]);
  const runtime = find(await render(), "TrainingRuntime", "sklearn").spec?.container as { image: string };
  expect(template?.spec.containers[0]?.image).toBe(runtime.image);
});

test("nothing names a namespace", () => {
  expect([...objects, ...platform].filter(({ metadata }) => metadata.namespace !== undefined)).toEqual([]);
});
