/** The demo's steps, asserted: data to gated model to predictions, and round again. */
import { beforeAll, expect, test } from "vitest";
import { readTraffic, startClient, stopClient } from "../demo/client.ts";
import type { Loop } from "../demo/objects.ts";
import {
  applyExample,
  changeSource,
  example,
  predict,
  question,
  reapply,
  waitForLoop,
  waitForNextChampion,
  waitForRejection,
} from "../demo/steps.ts";
import { kubectl } from "../demo/target.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let first: Loop;
let second: Loop;

beforeAll(async () => {
  world = await makeWorld("loop");
});

test("one apply leads from a CSV file to a gated model that is served", async () => {
  await applyExample(world.target);
  first = await waitForLoop(world.target);
  expect(first.dataset?.status).toMatchObject({ version: 1, rows: 130, label: "class" });
  expect(first.trainingJob?.status?.run).toMatchObject({ phase: "Succeeded", trigger: "Spec", modelVersion: 1 });
  expect(first.trainingJob?.status?.run?.metrics?.train_rows).toBe(first.dataset?.status?.splits?.train);
  const [version] = first.model?.status?.versions ?? [];
  expect(version).toMatchObject({ version: 1, stage: "Champion", evaluatedOn: { dataset: "wine", version: 1 } });
  expect(version?.metrics?.accuracy).toBeGreaterThan(0.9);
  expect(version?.gates?.map(({ metric, passed }) => [metric, passed])).toEqual([
    ["accuracy", true],
    ["accuracy", true],
    ["latency_p99_ms", true],
  ]);
  expect(first.service?.status).toMatchObject({
    url: `http://wine.${world.target.namespace}.svc`,
    modelVersion: 1,
    revisions: [{ trafficPercent: 100, readyReplicas: 1 }],
  });
});

test("each object tells what happened to it in Events", async () => {
  const told = (reason: string) => world.events(example, reason);
  expect(await told("VersionCurrent")).toEqual(["version 1 with 130 rows is current"]);
  expect(await told("RunStarted")).toHaveLength(1);
  expect(await told("RunSucceeded")).toHaveLength(1);
  expect(await told("EvaluationStarted")).toHaveLength(1);
  expect(await told("ChampionMoved")).toEqual(["version 1 is champion"]);
  expect(await told("Serving")).toHaveLength(1);
});

test("the service answers over the Open Inference Protocol", async () => {
  expect(await predict(world.target)).toMatchObject({ model_name: example, outputs: [{ data: [0] }] });
});

test("the training pod had the train split alone, and no token in the user's container", async () => {
  const pods = JSON.parse(
    await kubectl(world.target, ["get", "pods", "-l", "lemnis.dev/trainingjob=wine", "-o", "json"]),
  );
  const { spec } = pods.items[0];
  const train = [...spec.initContainers, ...spec.containers].find(({ name }: { name: string }) => name === "train");
  expect(spec.automountServiceAccountToken).toBe(false);
  expect(train.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).not.toContain(
    "/var/run/secrets/lemnis",
  );
  const stage = spec.initContainers.find(({ name }: { name: string }) => name === "stage");
  const task = JSON.parse(stage.env.find(({ name }: { name: string }) => name === "LEMNIS_TASK").value);
  expect(task.inputs.map(({ split }: { split: string }) => split)).toEqual(["train"]);
});

test("new rows become the next champion, and no request is lost", async () => {
  await startClient(world.target, { image: world.images.sklearn, service: example, body: question });
  await changeSource(world.target, "add", "48");
  second = await waitForNextChampion(world.target, 1);
  const traffic = await readTraffic(world.target);
  await stopClient(world.target);
  expect(second.dataset?.status).toMatchObject({ version: 2, rows: 178 });
  expect(second.trainingJob?.status?.run).toMatchObject({ trigger: "DatasetChange", modelVersion: 2 });
  expect(second.model?.status).toMatchObject({ champion: 2, versions: [{ stage: "Champion" }, { stage: "Archived" }] });
  expect(second.service?.status?.revisions).toMatchObject([{ modelVersion: 2, trafficPercent: 100 }]);
  expect(traffic?.errors).toEqual([]);
  expect(traffic?.failed).toBe(0);
  expect(traffic?.sent).toBeGreaterThan(100);
});

test("a bad batch is refused: the champion stays, and describe says why", async () => {
  await changeSource(world.target, "shuffle");
  const third = await waitForRejection(world.target, 2);
  expect(third.model?.status).toMatchObject({ champion: 2, versions: [{ version: 3, stage: "Failed" }, {}, {}] });
  expect(third.service?.status).toMatchObject({ modelVersion: 2 });
  const described = await kubectl(world.target, ["describe", "model", example]);
  expect(described).toMatch(/version 3 failed: accuracy 0\.\d+ is below min 0\.9/);
  expect(await world.events(example, "GatesFailed")).toHaveLength(1);
  expect(await predict(world.target)).toMatchObject({ outputs: [{ data: [0] }] });
});

test("the same manifests again start nothing", async () => {
  expect(await reapply(world.target)).toBeGreaterThan(10);
});

test("kubectl get ml shows all four kinds", async () => {
  const shown = await kubectl(world.target, ["get", "ml"]);
  for (const kind of ["dataset", "trainingjob", "model", "inferenceservice"]) {
    expect(shown).toContain(`${kind}.lemnis.dev/wine`);
  }
});

test("objects that are deleted and applied again get their status back from the store, and nothing runs", async () => {
  const kinds = "inferenceservices,models,trainingjobs,datasets";
  await kubectl(world.target, ["delete", kinds, "--all", "--wait", "--timeout=60s"]);
  await kubectl(world.target, ["wait", "--for=delete", "jobs", "--all", "--timeout=60s"]);
  await applyExample(world.target);
  const rebuilt = await waitForLoop(world.target);
  expect(rebuilt.model?.status?.versions).toEqual((await world.get("model", example)).status.versions);
  expect(rebuilt.model?.status).toMatchObject({ champion: 2 });
  expect(rebuilt.trainingJob?.status?.runs).toHaveLength(3);
  const jobs = JSON.parse(await kubectl(world.target, ["get", "jobs", "-o", "json"])).items as {
    metadata: { labels: Record<string, string> };
  }[];
  // The source is looked at, as it may have changed; what it holds is known.
  expect(jobs.filter(({ metadata }) => !metadata.labels["lemnis.dev/dataset"])).toEqual([]);
  expect(await predict(world.target)).toMatchObject({ outputs: [{ data: [0] }] });
});
