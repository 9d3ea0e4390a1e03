/** Pods that read versions which are stored by reference: where, and with whose Secret. */
import { describe, expect, test } from "vitest";
import {
  dataset,
  digestOf,
  model,
  readyDataset,
  servingRuntime,
  start,
  trainingJob,
} from "../../../test/builders/kinds.ts";
import { nothingTrained } from "../../../test/builders/observed.ts";
import { modelRecord, modelVersion } from "../../../test/builders/records.ts";
import { settings } from "../../../test/builders/settings.ts";
import { task as taskSchema } from "../../agent/tasks.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { KubeObject } from "../../kube/types.ts";
import { planModel } from "../model/plan.ts";
import { planTrainingJob } from "../training-job/plan.ts";
import { referencesTo } from "./reference.ts";

interface Container {
  name: string;
  env?: { name: string; value: string }[];
  volumeMounts: { name: string; mountPath: string }[];
}
type PodSpec = { initContainers: Container[]; containers: Container[]; volumes: { name: string; secret?: object }[] };

const none = { jobs: [], pods: new Map() };
const source = { uri: "s3://bucket/wine/", region: "eu-1", secretRef: { name: "s3" } };
const { spec } = dataset({ source, storage: "Reference", format: "Parquet" });
const pinned: Dataset = { ...readyDataset(), spec };
const location = { uri: "s3://bucket/wine/", region: "eu-1", secret: true, deniedRanges: ["10.96.0.0/12"] };

const podOf = (object: KubeObject | undefined) =>
  (object as unknown as { spec: { template: { spec: PodSpec } } }).spec.template.spec;
const all = ({ initContainers, containers }: PodSpec) => [...initContainers, ...containers];
const taskOf = (pod: PodSpec, name: string) => {
  const value = all(pod)
    .find((container) => container.name === name)
    ?.env?.find((variable) => variable.name === "LEMNIS_TASK")?.value;
  return taskSchema.parse(JSON.parse(value?.replaceAll("$$", "$") ?? ""));
};
const withSecret = (pod: PodSpec) =>
  all(pod).flatMap(({ name, volumeMounts }) => (volumeMounts.some((mount) => mount.name === "secret") ? [name] : []));

function training(found: Dataset) {
  return planTrainingJob(
    {
      ...nothingTrained,
      ...{ trainingJob: trainingJob(), model: model(), datasets: new Map([["wine", found]]) },
    },
    settings,
    start,
  );
}

test("training stages them with the Dataset's Secret, which the user's container does not get", () => {
  const pod = podOf(training(pinned).apply[0]?.object);
  expect(taskOf(pod, "stage")).toMatchObject({
    inputs: [{ dataset: "wine", digest: digestOf("dataset 1"), location }],
  });
  expect(withSecret(pod)).toEqual(["stage"]);
  expect(pod.volumes).toContainEqual({ name: "secret", secret: { secretName: "s3" } });
});

test("an evaluation reads them with the Dataset's Secret, which the model's server does not get", () => {
  const observed = { model: model(), dataset: pinned, runtimes: [servingRuntime], ...none };
  const record = { found: modelRecord([modelVersion(1)]) };
  const pod = podOf(planModel({ ...observed, record }, settings, start).apply[0]?.object);
  expect(taskOf(pod, "evaluate")).toMatchObject({ dataset: "wine", location });
  expect(withSecret(pod)).toEqual(["evaluate"]);
});

test("copies are read from the store, with no Secret", () => {
  const copied: Dataset = { ...readyDataset(), spec: dataset({ source }).spec };
  const pod = podOf(training(copied).apply[0]?.object);
  expect(taskOf(pod, "stage")).not.toHaveProperty("inputs.0.location");
  expect(withSecret(pod)).toEqual([]);
});

describe("several", () => {
  const other = (uri: string, secret?: string, name = "other"): Dataset => {
    const secretRef = secret ? { secretRef: { name: secret } } : {};
    const { spec } = dataset({ source: { uri, ...secretRef }, storage: "Reference", format: "Files" });
    return { ...pinned, metadata: { ...pinned.metadata, name }, spec };
  };

  test("share one Secret, or need none", () => {
    for (const second of [other("gs://bucket/x", "s3"), other("https://host/x")]) {
      const references = referencesTo([pinned, second]);
      expect(references.volumes).toEqual([{ name: "secret", secret: { secretName: "s3" } }]);
      expect(references.sources.get("other")).toMatchObject({ mount: undefined });
    }
  });

  test("have a mount for each Secret and volume", () => {
    const { sources, volumes, mounts } = referencesTo([
      other("https://host/x", undefined, "public"),
      ...[pinned, other("s3://b/k", "another"), other("pvc://claim/a", undefined, "claimed")],
      other("s3://b/k2", "another", "same"),
    ]);
    expect(Object.fromEntries([...sources].map(([name, { mount }]) => [name, mount]))).toEqual({
      ...{ public: undefined, wine: undefined, other: "2", claimed: "3", same: "2" },
    });
    expect(volumes).toEqual([
      { name: "secret", secret: { secretName: "s3" } },
      { name: "secret-2", secret: { secretName: "another" } },
      { name: "source-3", persistentVolumeClaim: { claimName: "claim", readOnly: true } },
    ]);
    expect(mounts).toEqual([
      { name: "secret", mountPath: "/lemnis/secret", readOnly: true },
      { name: "secret-2", mountPath: "/lemnis/secret-2", readOnly: true },
      { name: "source-3", mountPath: "/lemnis/source-3", readOnly: true },
    ]);
  });
});

describe("an input without a split", () => {
  const split = (splits: Record<string, number>) =>
    ({ ...readyDataset(), status: { ...readyDataset().status, splits } }) as Dataset;
  const unnamed = (found: Dataset) =>
    planTrainingJob(
      {
        ...nothingTrained,
        ...{ trainingJob: trainingJob({ inputs: [{ name: "data", datasetRef: { name: "wine" } }] }), model: model() },
        datasets: new Map([["wine", found]]),
      },
      settings,
      start,
    );

  test.each([{ all: 10 }, { train: 8, test: 2 }])("is given what is not held out of %j", (splits) => {
    expect(unnamed(split(splits as Record<string, number>)).apply).toHaveLength(1);
  });

  test("must be named, where that does not say which", () => {
    const { apply, status } = unnamed(split({ old: 8, new: 2 }));
    expect(apply).toEqual([]);
    expect(status.conditions?.[0]).toMatchObject({
      ...{
        reason: "SplitNotFound",
        message: "Dataset wine has the splits old, new: name one of them in datasetRef.split",
      },
    });
  });
});
