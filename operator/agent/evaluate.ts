import type { ColumnProfile, DatasetVersionDetail } from "../store/api.ts";
import type { AgentContext } from "./context.ts";
import { asProbabilities, className, type Predictions, readPredictions, sortedClasses } from "./evaluate/classes.ts";
import { classificationMetrics } from "./evaluate/classification.ts";
import { predictionFailed, RuntimeClient } from "./evaluate/client.ts";
import { chooseEncoder, featuresOf, type Value } from "./evaluate/features.ts";
import { HeldOut } from "./evaluate/held-out.ts";
import { latencyMetrics } from "./evaluate/latency.ts";
import { askProbabilities, measureLatency, type Predictor, predictAll } from "./evaluate/predict.ts";
import { regressionMetrics } from "./evaluate/regression.ts";
import { clip, permanent } from "./failure.ts";
import type { EvaluateTask } from "./tasks.ts";
import { getRevision } from "./version/revision.ts";

/** Sends held-out rows to the model in the runtime that will serve it, and registers how well it predicts. */
export async function evaluate(context: AgentContext, task: EvaluateTask): Promise<object> {
  const { store, logger, timing } = context;
  const client = new RuntimeClient(task.endpoint, task.modelName, timing);
  try {
    await client.ready();
    const { namespace, dataset: name, datasetDigest: digest, datasetRevision: revision } = task;
    const version = await getRevision(context, { namespace, dataset: name, digest, revision });
    const label = labelOf(version, task);
    const heldOut = await HeldOut.open(context, task, version);
    try {
      const metrics = await measure({ task, client, label, heldOut });
      const { datasetVersion, datasetDigest, dataset, split } = task;
      await store.putEvaluation(
        task.namespace,
        { model: task.model, version: task.version, digest: task.evaluationDigest },
        { dataset, datasetVersion, datasetDigest, split, rows: heldOut.rows, metrics },
      );
      logger.info({ metrics, rows: heldOut.rows }, "registered the evaluation");
      return { rows: heldOut.rows, metrics };
    } finally {
      heldOut.close();
    }
  } finally {
    await client.close();
  }
}

function labelOf({ columns, profile }: DatasetVersionDetail, { dataset }: EvaluateTask): ColumnProfile {
  const name = columns.find(({ role }) => role === "Label")?.name;
  const label = profile.find((column) => column.name === name);
  if (label) return label;
  throw permanent(
    "LabelMissing",
    `Dataset ${dataset} has no column with the role Label: mark the one that the model predicts in spec.schema.columns`,
  );
}

interface Trial {
  task: EvaluateTask;
  client: RuntimeClient;
  label: ColumnProfile;
  heldOut: HeldOut;
}

async function measure({ task, client, label, heldOut }: Trial): Promise<Record<string, number>> {
  const features = featuresOf(heldOut.columns, heldOut.nullable);
  const predictor: Predictor = { client, encode: chooseEncoder(await client.inputs(), features) };
  const chosen = task.task === "Classification" ? await askProbabilities(predictor, heldOut) : predictor;
  const quality =
    task.task === "Classification"
      ? await judgeClasses(chosen, label, heldOut)
      : await judgeNumbers(chosen, label, heldOut);
  return { ...quality, ...latencyMetrics(await measureLatency(predictor, heldOut)) };
}

async function judgeClasses(
  predictor: Predictor,
  label: ColumnProfile,
  heldOut: HeldOut,
): Promise<Record<string, number>> {
  // The profile has them of the whole dataset, but none of a label that is sensitive.
  const values = label.topValues?.map(({ value }) => value) ?? (await heldOut.distinct(label.name));
  const classes = sortedClasses(values, label.type);
  const truth: string[] = [];
  const predicted: Predictions = { classes: [], scores: [] };
  for await (const { rows, answer } of predictAll(predictor, heldOut)) {
    const batch = readPredictions(answer, classes, label.type);
    if (typeof batch === "string") throw predictionFailed({ refused: batch }, heldOut.columns);
    for (const value of labelValues(rows, label, heldOut)) truth.push(className(value, label.type));
    predicted.classes.push(...batch.classes);
    if (batch.scores && predicted.scores) predicted.scores.push(...batch.scores);
    else predicted.scores = undefined;
  }
  const known = new Set([...classes, ...truth]);
  if (!predicted.classes.some((name) => known.has(name))) {
    const shown = (names: readonly string[]) => clip([...new Set(names)].slice(0, 5).join(", "), 100);
    const isSensitive = heldOut.columns.some(({ name, sensitive }) => name === label.name && sensitive);
    const what = isSensitive
      ? `predicts none of the values that the label ${label.name} holds`
      : `predicts ${shown(predicted.classes)}, but the label ${label.name} holds ${shown(truth)}`;
    throw permanent("PredictionFailed", `the model ${what}: train on the label as the dataset has it`);
  }
  return classificationMetrics(truth, predicted.classes, {
    classes,
    probabilities: asProbabilities(predicted, classes),
  });
}

async function judgeNumbers(
  predictor: Predictor,
  label: ColumnProfile,
  heldOut: HeldOut,
): Promise<Record<string, number>> {
  if (label.type !== "Double" && label.type !== "Int64") {
    throw permanent(
      "LabelMissing",
      `the label ${label.name} is ${label.type}, but a Regression model predicts numbers`,
    );
  }
  const truth: number[] = [];
  const predicted: number[] = [];
  for await (const { rows, answer } of predictAll(predictor, heldOut)) {
    const output = answer.find(({ name }) => name === "predict") ?? answer[0];
    for (const row of output?.rows ?? []) {
      const value = Number(row[0]);
      if (row.length !== 1 || typeof row[0] === "boolean" || !Number.isFinite(value)) {
        const refused = `output ${output?.name} holds no number where one is wanted`;
        throw predictionFailed({ refused, words: clip(JSON.stringify(row), 64) }, heldOut.columns);
      }
      predicted.push(value);
    }
    for (const value of labelValues(rows, label, heldOut)) truth.push(Number(value));
  }
  return regressionMetrics(truth, predicted);
}

function labelValues(
  rows: readonly (readonly Value[])[],
  label: ColumnProfile,
  heldOut: HeldOut,
): (string | number | bigint | boolean)[] {
  const index = heldOut.columns.findIndex(({ name }) => name === label.name);
  return rows.map((row) => {
    const value = row[index];
    if (value !== null && value !== undefined && !Number.isNaN(value)) return value;
    throw permanent(
      "LabelMissing",
      `the held-out data has rows without a value in its label ${label.name}: leave them out of the source`,
    );
  });
}
