/** The loop goes on when its parts are killed under it. */
import { beforeAll, expect, test } from "vitest";
import { systemNamespace } from "../../demo/install.ts";
import { applyExample, example, predict, waitForLoop } from "../../demo/steps.ts";
import { kubectl } from "../../demo/target.ts";
import { makeWorld, type World } from "../world.ts";

let world: World;
beforeAll(async () => {
  world = await makeWorld("recovery");
});

/** Ends a part of Lemnis at once, without a chance to finish anything. */
async function kill(part: "operator" | "store"): Promise<void> {
  const selector = `app.kubernetes.io/component=${part}`;
  await kubectl(world.target, ["-n", systemNamespace, "delete", "pods", "-l", selector, "--grace-period=0", "--force"]);
}

test("operator, store and pods are killed while a model is made: one run, one version, and it is served", async () => {
  await applyExample(world.target);
  await world.until("dataset", example, ({ status }) => status?.conditions?.length > 0);
  await kill("operator");
  await world.until("trainingjob", example, ({ status }) => status?.run?.phase === "Running");
  await kill("store");
  await kubectl(world.target, ["delete", "pods", "-l", "lemnis.dev/trainingjob=wine", "--grace-period=0", "--force"]);
  await world.until("model", example, ({ status }) => status?.versions?.length > 0, 240);
  await kill("operator");
  const { model, trainingJob } = await waitForLoop(world.target);
  expect(model?.status?.versions).toHaveLength(1);
  expect(trainingJob?.status?.runs).toMatchObject([{ phase: "Succeeded", modelVersion: 1 }]);
  expect(await predict(world.target)).toMatchObject({ outputs: [{ data: [0] }] });
});

test("what serves goes on while operator and store are gone, and a pod that is killed comes back", async () => {
  const scale = (kind: string, replicas: number) =>
    kubectl(world.target, ["-n", systemNamespace, "scale", kind, `--replicas=${replicas}`, "--timeout=60s"]);
  await Promise.all([scale("deployment/lemnis-operator", 0), scale("statefulset/lemnis-store", 0)]);
  try {
    expect(await predict(world.target)).toMatchObject({ outputs: [{ data: [0] }] });
  } finally {
    await Promise.all([scale("deployment/lemnis-operator", 1), scale("statefulset/lemnis-store", 1)]);
  }
  await kubectl(world.target, ["delete", "pods", "-l", "lemnis.dev/inferenceservice=wine", "--wait=false"]);
  await world.until("inferenceservice", example, ({ status }) => status.revisions[0].readyReplicas === 0);
  await world.reason("inferenceservice", example, "Serving");
  expect(await predict(world.target)).toMatchObject({ outputs: [{ data: [0] }] });
});
