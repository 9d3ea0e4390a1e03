import { describe, expect, test } from "vitest";
import { Dataset, InferenceService, Model, ServingRuntime, TrainingJob, TrainingRuntime } from "./models.ts";

const metadata = { name: "wine", namespace: "team-a" };
const runtime = { formats: [{ name: "sklearn" }], container: { image: "serve:1" } };

describe("a manifest written in TypeScript", () => {
  test.each([
    new Dataset({ metadata, spec: { source: { uri: "s3://bucket/wine/" }, splits: { train: 80, test: 20 } } }),
    new TrainingJob({ metadata, spec: { modelRef: { name: "wine" }, parameters: { C: 1 } } }),
    new Model({ metadata, spec: { task: "Classification", format: { name: "sklearn" } } }),
    new InferenceService({ metadata, spec: { modelRef: { name: "wine" } } }),
    new ServingRuntime({ metadata: { name: "mine" }, spec: runtime }),
    new TrainingRuntime({ metadata: { name: "mine" }, spec: runtime }),
  ])("is what kubectl applies: $kind", (manifest) => {
    manifest.validate();
    expect(JSON.parse(JSON.stringify(manifest))).toMatchObject({
      ...{ apiVersion: "lemnis.dev/v1alpha1", kind: manifest.kind },
      metadata: { name: expect.any(String) },
      spec: expect.any(Object),
    });
  });

  test("is refused as the API server would, by the field's name", () => {
    const wrong = new Dataset({ metadata, spec: { source: { uri: "ftp://host/wine.csv" }, retain: 0 } });
    expect(() => wrong.validate()).toThrow(/spec\.retain[\s\S]*must be a uri that begins with[\s\S]*spec\.source\.uri/);
  });
});
