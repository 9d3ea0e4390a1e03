import { accept, type Case, container, refuse } from "./case.ts";

const training = { modelRef: { name: "wine" } };

export const trainingJobs: Case[] = [
  accept("TrainingJob", "the shortest", training),
  accept("TrainingJob", "everything", {
    ...training,
    runtimeRef: { name: "sklearn" },
    code: { configMapRef: { name: "code" } },
    inputs: [{ name: "train", datasetRef: { name: "wine", split: "train" } }],
    parameters: { C: 1.0, solver: "lbfgs", shuffle: true },
    resources: { requests: { cpu: 1, memory: "1Gi" }, limits: { "nvidia.com/gpu": 1 } },
    backoffLimit: 0,
    activeDeadlineSeconds: 60,
    suspend: true,
    queueName: "team-a.night",
    triggers: { datasetChange: true },
    historyLimit: 1,
  }),
  accept("TrainingJob", "a template", {
    ...training,
    template: {
      container: {
        ...container,
        env: [
          { name: "A", value: "1" },
          { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
        ],
      },
      tolerations: [{ operator: "Exists" }],
      nodeSelector: { disk: "ssd" },
      runAsUser: 2000,
    },
  }),
  refuse("TrainingJob", "no model", {}, /modelRef/),
  refuse(
    "TrainingJob",
    "runtime and template",
    { ...training, runtimeRef: { name: "a" }, template: { container } },
    /runtimeRef or template, not both/,
  ),
  refuse(
    "TrainingJob",
    "a container without an image",
    { ...training, template: { container: {} } },
    /container.image/s,
  ),
  refuse(
    "TrainingJob",
    "value and valueFrom",
    { ...training, template: { container: { ...container, env: [{ name: "A", value: "1", valueFrom: {} }] } } },
    /env.*not both/s,
  ),
  refuse("TrainingJob", "a user id of 0", { ...training, template: { container, runAsUser: 0 } }, /runAsUser/),
  refuse(
    "TrainingJob",
    "an input with a slash",
    { ...training, inputs: [{ name: "../x", datasetRef: { name: "a" } }] },
    /inputs.*name/s,
  ),
  refuse(
    "TrainingJob",
    "a quantity that is none",
    { ...training, resources: { limits: { memory: "lots" } } },
    /resources.*memory/s,
  ),
  ...[-1, 21].map((backoffLimit) =>
    refuse("TrainingJob", `backoffLimit ${backoffLimit}`, { ...training, backoffLimit }, /backoffLimit/),
  ),
  ...[0, 2592001].map((activeDeadlineSeconds) =>
    refuse(
      "TrainingJob",
      `activeDeadlineSeconds ${activeDeadlineSeconds}`,
      { ...training, activeDeadlineSeconds },
      /activeDeadlineSeconds/,
    ),
  ),
  ...["", "Team", "a/b", "x".repeat(64)].map((queueName) =>
    refuse("TrainingJob", `queueName ${queueName}`, { ...training, queueName }, /queueName/),
  ),
  refuse("TrainingJob", "suspend: yes", { ...training, suspend: "yes" }, /suspend/),
];
