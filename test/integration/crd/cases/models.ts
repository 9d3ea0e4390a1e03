import { accept, type Case, digest, refuse } from "./case.ts";

const model = { task: "Classification", format: { name: "sklearn" } };
const evaluated = { ...model, evaluation: { datasetRef: { name: "wine" } } };
const gate = (value: object, task = "Classification") => ({ ...evaluated, task, gates: [value] });

export const models: Case[] = [
  accept("Model", "the shortest", model),
  accept("Model", "everything", {
    ...evaluated,
    description: "x",
    imports: [{ uri: "s3://b/model.joblib", digest }],
    gates: [
      { metric: "accuracy", min: 0.9 },
      { metric: "accuracy", against: "champion", minDelta: -0.01 },
      { metric: "latency_p99_ms", max: 50 },
    ],
    promotion: "Manual",
    aliases: { champion: 3, "last-good": 2 },
  }),
  accept("Model", "a gate against the champion alone", gate({ metric: "rmse", against: "champion" }, "Regression")),
  refuse("Model", "an unknown task", { ...model, task: "Clustering" }, /task/),
  refuse("Model", "an unknown metric", gate({ metric: "acuracy", min: 0.9 }), /gates.*metric/s),
  refuse(
    "Model",
    "a metric of the other task",
    gate({ metric: "rmse", max: 1 }),
    /Classification has the metrics accuracy/,
  ),
  refuse(
    "Model",
    "a metric of the other task",
    gate({ metric: "accuracy", min: 1 }, "Regression"),
    /Regression has mae/,
  ),
  refuse(
    "Model",
    "a gate without a limit",
    gate({ metric: "accuracy" }),
    /gates.*at least one of min, max or against/s,
  ),
  refuse(
    "Model",
    "a delta without against",
    gate({ metric: "accuracy", min: 0.1, minDelta: 0 }),
    /gates.*need against/s,
  ),
  refuse("Model", "min above max", gate({ metric: "accuracy", min: 0.9, max: 0.8 }), /gates.*min must not be greater/s),
  refuse("Model", "a threshold in quotes", gate({ metric: "accuracy", min: "0.9" }), /gates.*min/s),
  refuse(
    "Model",
    "gates without an evaluation",
    { ...model, gates: [{ metric: "accuracy", min: 0.9 }] },
    /gates need evaluation/,
  ),
  refuse("Model", "an import without a digest", { ...model, imports: [{ uri: "s3://b/k" }] }, /imports.*digest/s),
  refuse(
    "Model",
    "an import with a short digest",
    { ...model, imports: [{ uri: "s3://b/k", digest: "sha256:abc" }] },
    /imports.*digest/s,
  ),
  refuse("Model", "an alias to version 0", { ...model, aliases: { champion: 0 } }, /aliases/),
  refuse("Model", "an alias with a capital", { ...model, aliases: { Champion: 1 } }, /aliases.*names must be/s),
  refuse("Model", "promotion: auto", { ...model, promotion: "auto" }, /promotion/),
];
