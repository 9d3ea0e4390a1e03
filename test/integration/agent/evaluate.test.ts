/** Evaluations against a server that speaks the Open Inference Protocol v2, with held-out rows from the real store. */
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EvaluateTask } from "../../../operator/agent/tasks.ts";
import { runResult, sha256 } from "../../builders/store.ts";
import { namespace, snapshotTask, startWorld, type World } from "./world.ts";

interface InferRequest {
  inputs: { name: string; shape: number[]; data: (number | string | null)[] }[];
  outputs?: { name: string }[];
}
interface Answer {
  status?: number;
  body: unknown;
}

let world: World;
let server: Server;
let notReady = 0;
let infer: (request: InferRequest) => Answer;
let modelInputs: object[];
const evaluationDigest = sha256("evaluation");

beforeEach(async () => {
  world = await startWorld();
  notReady = 0;
  modelInputs = [{ name: "x", datatype: "FP64", shape: [-1, 1] }];
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      const { status = 200, body } = respond(request.url ?? "", text);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await world.close();
});

function respond(path: string, text: string): Answer {
  if (path.endsWith("/ready")) return notReady-- > 0 ? { status: 503, body: { error: "loading" } } : { body: {} };
  return path.endsWith("/infer") ? infer(JSON.parse(text)) : { body: { name: "wine", inputs: modelInputs } };
}

const predict = (rows: unknown[], name = "predict") => ({
  name,
  shape: [rows.length, 1],
  datatype: "INT64",
  data: rows,
});
/** The numbers of the one feature, row by row. */
const xs = ({ inputs }: InferRequest) => (inputs[0]?.data ?? []) as number[];

/** Rows x = 0…99, whose label a function of x gives, half of them held out; and a version of the model. */
async function prepare(
  label: (x: number) => string | number,
  changes: Partial<EvaluateTask> = {},
  sensitive: readonly string[] = [],
): Promise<EvaluateTask> {
  const rows = Array.from({ length: 100 }, (_, x) => `${x},${label(x)}\n`).join("");
  await world.source("data.csv", `x,y\n${rows}`);
  const splits = {
    seed: 0,
    shares: [
      { name: "train", percent: 50 },
      { name: "test", percent: 50 },
    ],
  };
  const columns = ["x", "y"].map((name) => ({
    name,
    ...(name === "y" ? { role: "Label" as const } : {}),
    ...(sensitive.includes(name) ? { sensitive: true as const } : {}),
  }));
  const { message } = await world.run(snapshotTask("data.csv", { splits, columns }));
  await writeFile(join(world.paths.model, "model"), "weights");
  const { trigger, recipe, inputs, parameters, image } = runResult();
  const run = { trigger, recipe, inputs, parameters, image };
  await world.run({
    verb: "publish",
    namespace,
    trainingJob: "wine",
    runDigest: sha256("run"),
    run,
    model: { name: "wine", format: "sklearn" },
  });
  return {
    ...{ verb: "evaluate", namespace, model: "wine", version: 1, evaluationDigest, dataset: "wine", datasetVersion: 1 },
    ...{ datasetDigest: message.digest, split: "test", task: "Classification", modelName: "wine" },
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...changes,
  };
}

const timing = { runtimeReady: 1_500, poll: 20, prediction: 2_000 };

async function metricsOf(task: EvaluateTask): Promise<Record<string, number>> {
  const { code, message } = await world.run(task, { timing });
  expect([code, message.reason]).toEqual([0, undefined]);
  const { versions } = await world.store.model(namespace, "wine");
  expect(versions[0]?.evaluations).toMatchObject([{ digest: evaluationDigest, split: "test" }]);
  return versions[0]?.evaluations[0]?.metrics ?? {};
}

test("on columns that have been declared anew since is not made, and says so", async () => {
  const task = await prepare((x) => Number(x >= 50));
  const { dataset, datasetDigest } = task;
  const { version: _, createdAt: __, ...told } = await world.store.getDatasetVersion(namespace, dataset, datasetDigest);
  const columns = told.columns.map((column) => ({ ...column, nullable: !column.nullable }));
  await world.store.registerDatasetVersion(namespace, dataset, { ...told, columns, retain: 10 });
  const { code, message } = await world.run(task, { timing });
  expect([code, message]).toEqual([3, { reason: "SourceChanged", message: expect.stringMatching(/at revision 2/) }]);
  expect((await world.store.model(namespace, "wine")).versions[0]?.evaluations).toEqual([]);
  infer = (request) => ({ body: { outputs: [predict(xs(request).map((x) => Number(x >= 50)))] } });
  expect(await metricsOf({ ...task, datasetRevision: 2 })).toMatchObject({ accuracy: 1 });
});

describe("a classifier", () => {
  test.each([[[]], [["y"]]])(
    "that gives probabilities too is judged by them, with sensitive columns %j",
    async (sensitive) => {
      const task = await prepare((x) => Number(x >= 50), {}, sensitive);
      infer = (request) => {
        const classes = xs(request).map((x) => Number(x >= 50));
        const probabilities = classes.flatMap((one) => (one ? [0.1, 0.9] : [0.9, 0.1]));
        const proba = { name: "predict_proba", shape: [classes.length, 2], datatype: "FP64", data: probabilities };
        return { body: { outputs: request.outputs ? [predict(classes), proba] : [predict(classes)] } };
      };
      const metrics = await metricsOf(task);
      expect(metrics).toMatchObject({ accuracy: 1, precision: 1, recall: 1, f1: 1, roc_auc: 1 });
      expect(metrics.log_loss).toBeCloseTo(-Math.log(0.9), 9);
      expect(metrics.latency_p50_ms).toBeGreaterThan(0);
      expect(metrics.latency_p99_ms).toBeGreaterThanOrEqual(metrics.latency_p50_ms ?? 0);
    },
  );

  test("that gives classes alone, as text, and knows no other outputs", async () => {
    const task = await prepare((x) => (x % 2 ? "red" : "white"));
    infer = (request) => {
      if (request.outputs) return { status: 400, body: { error: "no such output" } };
      return { body: { outputs: [predict(xs(request).map((x) => (x % 4 === 1 ? "red" : "white")))] } };
    };
    const metrics = await metricsOf(task);
    expect(metrics.accuracy).toBeGreaterThan(0.6);
    expect(metrics.accuracy).toBeLessThan(0.9);
    expect(metrics).not.toHaveProperty("log_loss");
  });

  test("that is still loading is waited for", async () => {
    const task = await prepare((x) => x % 2);
    notReady = 5;
    infer = (request) => ({ body: { outputs: [predict(xs(request).map((x) => x % 2))] } });
    expect((await metricsOf(task)).accuracy).toBe(1);
  });
});

test("a regressor is judged by its errors", async () => {
  const task = await prepare((x) => 2 * x + 0.5, { task: "Regression" });
  infer = (request) => ({ body: { outputs: [predict(xs(request).map((x) => 2 * x + 1.5))] } });
  const metrics = await metricsOf(task);
  expect(metrics.mae).toBeCloseTo(1, 9);
  expect(metrics.rmse).toBeCloseTo(1, 9);
  expect(metrics.r2).toBeGreaterThan(0.99);
});

describe("what goes wrong is told", () => {
  test.each<[string, Answer, RegExp]>([
    [
      "a refusal, in the runtime's words",
      { status: 500, body: { error: "ValueError: X has 1 features" } },
      /HTTP 500: ValueError: X has 1 features/,
    ],
    ["an answer of another form", { body: { predictions: [1] } }, /no outputs/],
    ["too few rows", { body: { outputs: [predict([1, 2, 3, 4, 5, 6, 7])] } }, /7 values for \d+ rows/],
  ])("%s", async (_, answer, says) => {
    const task = await prepare((x) => x % 2);
    infer = () => answer;
    const { code, message } = await world.run(task, { timing });
    expect([code, message]).toEqual([3, { reason: "PredictionFailed", message: expect.stringMatching(says) }]);
    expect((await world.store.model(namespace, "wine")).versions[0]?.evaluations).toEqual([]);
  });

  test.each<[string, Partial<EvaluateTask>, string[], Answer, RegExp]>([
    [
      "a refusal",
      {},
      ["x"],
      { status: 500, body: { error: "could not convert: 'ill 7'" } },
      /: HTTP 500; its words may hold values of sensitive columns$/,
    ],
    ["classes that the label has not", {}, ["y"], { body: "classes" }, /predicts none of the values .* label y holds/],
    ["no numbers", { task: "Regression" }, ["x"], { body: "classes" }, /output predict holds no number where one is/],
  ])("%s, without values of sensitive columns", async (_, changes, sensitive, answer, says) => {
    const task = await prepare((x) => (changes.task ? x : `ill ${x % 2}`), changes, sensitive);
    infer = (request) =>
      answer.body === "classes" ? { body: { outputs: [predict(xs(request).map(() => "ill 7"))] } } : answer;
    const { code, message, log } = await world.run(task, { timing });
    expect([code, message]).toEqual([3, { reason: "PredictionFailed", message: expect.stringMatching(says) }]);
    expect(log + message.message).not.toContain("ill ");
  });

  test("a runtime that never loads the model, and may yet", async () => {
    const task = await prepare((x) => x % 2);
    notReady = Number.POSITIVE_INFINITY;
    const { code, message } = await world.run(task, { timing });
    expect([code, message]).toEqual([1, { reason: "RuntimeUnavailable", message: expect.stringContaining("loading") }]);
  });

  test("a model whose inputs the data has not", async () => {
    const task = await prepare((x) => x % 2);
    modelInputs = [
      { name: "x", datatype: "FP64" },
      { name: "colour", datatype: "BYTES" },
    ];
    const { code, message } = await world.run(task, { timing });
    expect([code, message]).toEqual([3, { reason: "PredictionFailed", message: expect.stringContaining("colour") }]);
  });
});
