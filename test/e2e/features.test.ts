/** examples/features: raw payments to features, a training set as of each payment's time, a model, and predictions that look features up. */
import { beforeAll, expect, test } from "vitest";
import { applyExample } from "../demo/steps.ts";
import { kubectl } from "../demo/target.ts";
import { makeWorld, ready, type World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await makeWorld("features");
  await applyExample(world.target, "features");
});

const inSource = (...args: string[]) =>
  kubectl(world.target, ["exec", "deploy/payments-source", "--", "python3", ...args]);
const predict = (...args: string[]) => inSource("/app/predict.py", ...args);

/** What the feature server answers, through the API server's proxy. */
async function features(query: string): Promise<Record<string, unknown>> {
  const path = `/api/v1/namespaces/${world.target.namespace}/services/customers-features:http/proxy/v1/features?${query}`;
  return JSON.parse(await kubectl(world.target, ["get", "--raw", path]));
}

async function condition(dataset: string, type: string) {
  const { status } = await world.get("dataset", dataset);
  return status.conditions.find((candidate: { type: string }) => candidate.type === type);
}

test("derived Datasets settle in order, and each version knows its parents", async () => {
  const served = await world.until("inferenceservice", "fraud", (object) => ready(object)?.status === "True", 280);
  expect(served.status.modelVersion).toBe(1);
  const [payments, checks, customers, fraud] = await Promise.all(
    ["payments", "checks", "customers", "fraud"].map((name) => world.get("dataset", name)),
  );
  expect(payments?.status).toMatchObject({ version: 1, rows: 12_000 });
  expect(customers?.status).toMatchObject({
    ...{ version: 1, rows: 12_000 },
    parents: [{ name: "payments", version: 1, digest: payments?.status.digest }],
  });
  expect(fraud?.status).toMatchObject({
    ...{ version: 1, rows: checks?.status.rows, label: "fraud" },
    parents: [
      { name: "checks", digest: checks?.status.digest },
      { name: "customers", digest: customers?.status.digest },
    ],
  });
});

test("the model passed its gates on customers whom it has never seen", async () => {
  const { status } = await world.get("model", "fraud");
  expect(status.versions[0]).toMatchObject({ version: 1, stage: "Champion", evaluatedOn: { dataset: "fraud" } });
  expect(status.versions[0].metrics.accuracy).toBeGreaterThan(0.9);
});

test("a prediction looks the newest features up by key, in the version that training had", async () => {
  await world.until("dataset", "customers", ({ status }) =>
    status.conditions.some(
      ({ type, status }: { type: string; status: string }) => type === "FeaturesServed" && status === "True",
    ),
  );
  const known = await features("customer=7");
  expect(known).toMatchObject({ customer: 7, mean_30d: expect.any(Number), payments_7d: expect.any(Number) });
  const mean = Number(known.mean_30d);
  const { digest } = (await world.get("dataset", "customers")).status;
  const usual = await predict("7", String(mean));
  expect(usual).toContain(`features 1;digest=${digest}`);
  expect(usual).toMatch(/\nno fraud\n$/);
  expect(await predict("7", String(mean * 7), "abroad")).toMatch(/\nfraud\n$/);
  expect(await predict("123456", "20")).toMatch(/^a customer without payments\n/);
});

test("new payments lead through features to another model, and to newer features without a gap", async () => {
  await inSource("/app/source.py", "add", "5");
  const look = `lemnis.dev/refresh=${new Date().toISOString()}`;
  await kubectl(world.target, ["annotate", "--overwrite", "datasets", "payments", "checks", look]);
  await world.until("dataset", "customers", ({ status }) => status.version === 2);
  const { digest } = (await world.get("dataset", "customers")).status;
  for (const deadline = performance.now() + 120_000; ; ) {
    // Every answer on the way is one: a failure here would be a gap.
    const answer = await predict("7", "20");
    if (answer.includes(`features 2;digest=${digest}`)) break;
    expect(answer).toContain("features 1;digest=");
    expect(performance.now()).toBeLessThan(deadline);
  }
  await world.until("model", "fraud", ({ status }) => status.versions[0].version >= 2 && status.champion >= 2, 240);
  expect(await condition("customers", "FeaturesServed")).toMatchObject({ status: "True" });
});
