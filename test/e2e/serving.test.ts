/** Models from elsewhere and services of their own: imports, storageUri, replicas, and models that can't be served. */
import { beforeAll, expect, test } from "vitest";
import { kubectl } from "../demo/target.ts";
import { claim, python } from "./objects.ts";
import { makeWorld, ready, type World } from "./world.ts";

let world: World;
/** sha256 of the model file, and of one that is no model. */
let digests: { good: string; garbage: string };

/** A model of one number: its class is whether it is positive. */
const makeModels = `
import hashlib, joblib, os
from sklearn.linear_model import LogisticRegression
os.makedirs("/data/good"); os.makedirs("/data/garbage")
joblib.dump(LogisticRegression().fit([[x] for x in range(-20, 20)], [int(x >= 0) for x in range(-20, 20)]), "/data/good/model.joblib")
open("/data/garbage/model.joblib", "w").write("no model at all")
for name in ("good", "garbage"):
    print(name, "sha256:" + hashlib.sha256(open(f"/data/{name}/model.joblib", "rb").read()).hexdigest())
`;

const numbers = Array.from({ length: 40 }, (_, index) => index - 20);
const csv = `x,positive\n${numbers.map((x) => `${x}.5,${x >= 0 ? 1 : 0}\n`).join("")}`;

const model = (name: string, spec: object) => ({
  ...{ kind: "Model", metadata: { name } },
  spec: {
    ...{ task: "Classification", format: { name: "sklearn" } },
    evaluation: { datasetRef: { name: "numbers" } },
    ...spec,
  },
});
const service = (name: string, spec: object) => ({ kind: "InferenceService", metadata: { name }, spec });
const fromClaim = (folder: string, changes: object = {}) => ({
  ...{ storageUri: `pvc://models/${folder}/model.joblib`, runtimeRef: { name: "mlserver" } },
  ...changes,
});

async function predict(name: string, x: number): Promise<unknown> {
  const input = { inputs: [{ name: "x", shape: [1, 1], datatype: "FP64", data: [x] }] };
  const { namespace } = world.target;
  const path = `/api/v1/namespaces/${namespace}/services/${name}:http/proxy/v2/models/${name}/infer`;
  const answer = await kubectl(world.target, ["create", "--raw", path, "-f", "-"], JSON.stringify(input));
  return JSON.parse(answer).outputs[0].data[0];
}

beforeAll(async () => {
  world = await makeWorld("serving");
  const files = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "numbers" }, data: { "numbers.csv": csv } };
  await world.apply(
    claim("models"),
    python("make", makeModels, { image: world.images.sklearn, claim: "models" }),
    files,
  );
  await kubectl(world.target, ["wait", "pod/make", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s"]);
  const said = (await kubectl(world.target, ["logs", "make"])).trim().split("\n");
  digests = Object.fromEntries(said.map((line) => line.split(" "))) as typeof digests;
  const dataset = { columns: [{ name: "positive", role: "Label" }] };
  const uri = (folder: string) => `pvc://models/${folder}/model.joblib`;
  await world.apply(
    {
      ...{ kind: "Dataset", metadata: { name: "numbers" } },
      spec: { source: { uri: "configmap://numbers/numbers.csv" }, schema: dataset, splits: { train: 50, test: 50 } },
    },
    model("imported", {
      imports: [{ uri: uri("good"), digest: digests.good }],
      gates: [
        { metric: "accuracy", min: 0.9 },
        { metric: "accuracy", against: "champion" },
      ],
    }),
    model("wrong-digest", { imports: [{ uri: uri("good"), digest: digests.garbage }] }),
    model("garbage", { imports: [{ uri: uri("garbage"), digest: digests.garbage }] }),
    model("manual", { imports: [{ uri: uri("good"), digest: digests.good }], promotion: "Manual" }),
    service("imported", { modelRef: { name: "imported" } }),
    service("uri", fromClaim("good", { storage: { digest: digests.good } })),
    service("never", fromClaim("garbage")),
    service("wrong", fromClaim("good", { storage: { digest: digests.garbage } })),
  );
});

test("an imported model is judged like any other, and served", async () => {
  await world.reason("inferenceservice", "imported", "Serving");
  const { status } = await world.get("model", "imported");
  expect(status).toMatchObject({
    champion: 1,
    versions: [{ stage: "Champion", source: expect.stringMatching(/^pvc:/) }],
  });
  expect(status.versions[0].metrics.accuracy).toBe(1);
  expect([await predict("imported", 3), await predict("imported", -3)]).toEqual([1, 0]);
});

test("an import whose bytes are not those of its digest is refused", async () => {
  const condition = await world.reason("model", "wrong-digest", "ImportFailed");
  expect(condition.message).toContain(digests.good);
  expect((await world.get("model", "wrong-digest")).status.versions).toEqual([]);
});

test("a model that the runtime can't load fails, with the runtime's words within reach", async () => {
  const condition = await world.reason("model", "garbage", "ContainerFailed", 180);
  expect(condition.message).toMatch(/version 1 failed: evaluation failed: .*logs/);
  expect((await world.get("model", "garbage")).status.champion).toBeUndefined();
});

test("with promotion Manual the manifest alone moves the champion", async () => {
  const waiting = await world.reason("model", "manual", "AwaitingPromotion");
  expect(waiting.message).toContain("spec.aliases.champion");
  const patch = (champion: number) =>
    kubectl(world.target, [
      "patch",
      "model",
      "manual",
      "--type=merge",
      "-p",
      JSON.stringify({ spec: { aliases: { champion } } }),
    ]);
  await patch(1);
  await world.reason("model", "manual", "ChampionReady");
  await patch(7);
  const invalid = await world.reason("model", "manual", "AliasInvalid");
  expect(invalid.message).toMatch(/7.*does not exist|no version 7/);
  expect((await world.get("model", "manual")).status.champion).toBe(1);
});

test("a model at a uri is served, and one that can't be loaded or has another digest gets no traffic", async () => {
  await world.reason("inferenceservice", "uri", "Serving");
  expect(await predict("uri", 5)).toBe(1);
  const wrong = await world.until("inferenceservice", "wrong", (seen) => ready(seen)?.reason === "DigestMismatch");
  expect(ready(wrong)?.message).toContain(digests.good);
  const never = await world.until("inferenceservice", "never", (seen) => ready(seen)?.reason === "ContainerFailed");
  expect(ready(never)?.message).toMatch(/runtime exited with code 0.*logs/);
});

test("a change that can't be served leaves the old revision serving", async () => {
  await world.apply(service("uri", fromClaim("garbage")));
  const changed = await world.until("inferenceservice", "uri", (seen) => ready(seen)?.reason === "ContainerFailed");
  expect(ready(changed)?.status).toBe("True");
  expect(ready(changed)?.message).toContain("keeps serving");
  expect(await predict("uri", -5)).toBe(0);
  await world.apply(service("uri", fromClaim("good", { storage: { digest: digests.good } })));
  await world.reason("inferenceservice", "uri", "Serving");
});

test("replicas bring a disruption budget and an autoscaler, and take them along", async () => {
  const replicas = (minReplicas: number, maxReplicas: number) =>
    service("imported", {
      ...{ modelRef: { name: "imported" }, minReplicas, maxReplicas },
      resources: { requests: { cpu: "50m" } },
    });
  await world.apply(replicas(2, 3));
  await world.until(
    "inferenceservice",
    "imported",
    ({ status }) => status.revisions[0].readyReplicas === 2 && status.revisions[0].trafficPercent === 100,
  );
  expect(await world.get("hpa", "imported")).toMatchObject({ spec: { minReplicas: 2, maxReplicas: 3 } });
  expect(await world.get("pdb", "imported")).toMatchObject({ spec: { maxUnavailable: 1 } });
  await world.apply(replicas(1, 1));
  await world.until("inferenceservice", "imported", (seen) => ready(seen)?.reason === "Serving");
  const rest = await kubectl(world.target, ["get", "hpa,pdb", "-o", "name"]);
  expect(rest.trim()).toBe("");
});
