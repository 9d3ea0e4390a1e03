/** What every pod of ours must be, whichever kind makes it. */
import { describe, expect, test } from "vitest";
import { observedDataset } from "../../../test/builders/datasets.ts";
import {
  dataset,
  digestOf,
  inferenceService,
  model,
  readyDataset,
  servingRuntime,
  start,
  trainingJob,
} from "../../../test/builders/kinds.ts";
import { nothingServed, nothingTrained } from "../../../test/builders/observed.ts";
import { datasetRecord, modelRecord, modelVersion } from "../../../test/builders/records.ts";
import { settings } from "../../../test/builders/settings.ts";
import { planDataset } from "../dataset/plan.ts";
import { planInferenceService } from "../inference-service/plan.ts";
import { planModel } from "../model/plan.ts";
import { planTrainingJob } from "../training-job/plan.ts";
import { agentContainer, sourceAccess, userContainer } from "./pod.ts";

interface Container {
  name: string;
  image: string;
  args?: string[];
  command?: string[];
  env: { name: string; value?: string }[];
  securityContext: object;
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
}
interface PodSpec {
  initContainers?: Container[];
  containers: Container[];
  volumes: { name: string; secret?: object }[];
}

const none = { jobs: [], pods: new Map() };
const s3 = { uri: "s3://bucket/wine/", secretRef: { name: "s3" } };
const passed = { version: 1, digest: digestOf("model 1"), source: "run", stage: "Passed" as const };

const served = planDataset(
  observedDataset({ dataset: dataset({ online: { keys: ["id"] } }), record: { found: datasetRecord(1) } }),
  settings,
  start,
);

/** The pod that each kind's plan makes first. */
const pods = Object.fromEntries(
  Object.entries({
    snapshot: planDataset(observedDataset({ dataset: dataset({ source: s3 }) }), settings, start),
    features: { apply: served.apply.filter(({ object }) => object.kind === "Deployment") },
    training: planTrainingJob(
      {
        ...{
          trainingJob: trainingJob({ code: { configMapRef: { name: "code" } }, parameters: { C: 1, note: "$(HOME)" } }),
          ...nothingTrained,
        },
        ...{ model: model(), datasets: new Map([["wine", readyDataset()]]) },
        code: { digest: digestOf("code") },
      },
      settings,
      start,
    ),
    evaluation: planModel(
      {
        model: model(),
        dataset: readyDataset(),
        runtimes: [servingRuntime],
        ...none,
        record: { found: modelRecord([modelVersion(1)]) },
      },
      settings,
      start,
    ),
    import: planModel(
      {
        ...{
          model: model({ imports: [{ ...s3, digest: digestOf("import") }] }),
          dataset: undefined,
          runtimes: [],
          ...none,
        },
        record: { found: modelRecord([]) },
      },
      settings,
      start,
    ),
    serving: planInferenceService(
      {
        ...nothingServed,
        service: inferenceService(),
        model: model({}, { champion: 1, aliases: { champion: 1 }, versions: [passed] }),
      },
      settings,
      start,
    ),
  }).map(([name, { apply }]) => [
    name,
    (apply[0] as unknown as { object: { spec: { template: { spec: PodSpec } } } }).object.spec.template.spec,
  ]),
);

const containersOf = ({ initContainers = [], containers }: PodSpec) => [...initContainers, ...containers];
const podOf = (name: string): PodSpec => pods[name] as PodSpec;
const named = (pod: PodSpec, name: string) =>
  containersOf(pod).find((container) => container.name === name) as Container;

describe.each(Object.entries(pods))("a pod for %s", (_, pod) => {
  test("passes the restricted Pod Security Standard", () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        fsGroup: 1000,
        seccompProfile: { type: "RuntimeDefault" },
      },
    });
    for (const { securityContext } of containersOf(pod)) {
      expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } });
    }
  });

  test("gives the store's token and the tenant's Secret to Lemnis's own containers alone", () => {
    for (const { image, volumeMounts } of containersOf(pod)) {
      const mounted = volumeMounts.map(({ name }) => name);
      if (image === settings.agentImage) expect(mounted).toContain("token");
      else expect(mounted).not.toEqual(expect.arrayContaining([expect.stringMatching(/token|secret|work/)]));
    }
  });
});

test("a training pod stages, trains and publishes in this order, in SageMaker's folders", () => {
  const training = podOf("training");
  expect(containersOf(training).map(({ name }) => name)).toEqual(["stage", "train", "publish"]);
  const train = named(training, "train");
  expect(train).toMatchObject({ image: "train:1", command: ["train"] });
  expect(train.args).toEqual(["--C", "1", "--note", "$$(HOME)"]);
  expect(train.env).toContainEqual({ name: "SM_CHANNEL_TRAIN", value: "/opt/ml/input/data/train" });
  expect(train.volumeMounts.map(({ mountPath }) => mountPath).sort()).toEqual([
    ...["/opt/ml/code", "/opt/ml/input/config", "/opt/ml/input/data", "/opt/ml/model", "/opt/ml/output"],
  ]);
  expect(named(training, "publish").volumeMounts).toContainEqual({
    name: "model",
    mountPath: "/opt/ml/model",
    readOnly: true,
  });
});

test("the splits that no input names are not staged", () => {
  const task = JSON.parse(
    named(podOf("training"), "stage")
      .env.find(({ name }) => name === "LEMNIS_TASK")
      ?.value?.replaceAll("$$", "$") ?? "",
  );
  expect(task.inputs).toMatchObject([{ name: "train", split: "train" }]);
});

test("a task holds no credential, only that there is one", () => {
  const text = JSON.stringify(podOf("snapshot").containers);
  expect(JSON.parse(named(podOf("snapshot"), "snapshot").env[0]?.value ?? "")).toMatchObject({
    source: { uri: s3.uri, secret: true },
  });
  expect(text).not.toMatch(/AWS_|secretKeyRef/);
});

describe("the volume behind a uri", () => {
  test.each([
    ["pvc://claim/a/b.csv", { persistentVolumeClaim: { claimName: "claim", readOnly: true } }],
    ["configmap://files/b.csv", { configMap: { name: "files" } }],
  ])("%s", (uri, volume) => {
    const { volumes, mounts } = sourceAccess(uri, undefined);
    expect(volumes).toEqual([{ name: "source", ...volume }]);
    expect(mounts).toEqual([{ name: "source", mountPath: "/lemnis/source", readOnly: true }]);
  });

  test("is none for what comes over the network", () => {
    expect(sourceAccess("https://host/b.csv", undefined)).toEqual({ volumes: [], mounts: [] });
  });
});

test("what a user or a task writes with a dollar sign reaches the container as it stands", () => {
  const task = { verb: "stage", namespace: "a", inputs: [], hyperparameters: { price: "$(PATH) $5" } } as const;
  const { env } = agentContainer(settings, { ...task, inputs: [] }, []) as unknown as Container;
  expect(env[0]?.value).toContain("$$(PATH) $$5");
});

test("a user's variable wins over ours of that name", () => {
  const container = { image: "a", env: [{ name: "HOME", value: "/home" }] };
  const { env } = userContainer({ name: "train", container, env: [{ name: "HOME", value: "/tmp" }], mounts: [] });
  expect(env).toEqual([{ name: "HOME", value: "/home" }]);
});
