/** One life of a model, as its users drive it: made, scaled, trained again, rolled back and forward, deleted. */
import { setTimeout as sleep } from "node:timers/promises";
import { waitUntil } from "../cluster/progress.ts";
import { childKinds, ourKinds, type Seen } from "./history.ts";
import { patienceMs, type User } from "./user.ts";

export interface Stage {
  name: string;
  run: (user: User) => Promise<void>;
}

export const isReady = ({ metadata: { generation }, status }: Seen): boolean =>
  status?.observedGeneration === generation &&
  status.conditions.some((condition: Seen) => condition.type === "Ready" && condition.status === "True") &&
  !status.conditions.some((condition: Seen) => condition.type === "Reconciling" && condition.status === "True");

export const serves = (version: number) => (object: Seen) => isReady(object) && object.status.modelVersion === version;

/** The revision before it has drained away. */
const servesAlone = (version: number) => (object: Seen) =>
  serves(version)(object) && object.status.revisions.length === 1;

const hasFailed = (version: number) => (object: Seen) =>
  isReady(object) && object.status.versions[0].version === version && object.status.versions[0].stage === "Failed";

export const specs = {
  dataset: { source: { uri: "http://host/wine.csv" }, splits: { train: 80, test: 20 } },
  trainingJob: {
    ...{ modelRef: { name: "wine" }, triggers: { datasetChange: true } },
    inputs: [{ name: "train", datasetRef: { name: "wine", split: "train" } }],
  },
  model: {
    ...{ task: "Classification", format: { name: "sklearn" }, evaluation: { datasetRef: { name: "wine" } } },
    gates: [{ metric: "accuracy", min: 0.9 }],
  },
  service: { modelRef: { name: "wine" } },
};

export const stages: readonly Stage[] = [
  {
    name: "create",
    run: async (user) => {
      await user.apply("InferenceService", specs.service);
      await user.apply("Model", specs.model);
      await user.apply("TrainingJob", specs.trainingJob);
      await user.apply("Dataset", specs.dataset);
      await user.until("InferenceService", serves(1));
    },
  },
  {
    name: "scale",
    run: async (user) => {
      await user.apply("InferenceService", { ...specs.service, minReplicas: 2, maxReplicas: 3 });
      await user.until("InferenceService", isReady);
    },
  },
  {
    name: "retrain",
    run: async (user) => {
      user.player.data.set(user.namespace, "more rows");
      await user.apply("Dataset", specs.dataset, { annotations: { "lemnis.dev/refresh": "again" } });
      await user.until("InferenceService", servesAlone(2));
    },
  },
  {
    // What it is judged to be gets no traffic, which the checks see.
    name: "train worse",
    run: async (user) => {
      const { accuracy } = user.player;
      user.player.accuracy = 0.5;
      user.player.data.set(user.namespace, "worse rows");
      try {
        await user.apply("Dataset", specs.dataset, { annotations: { "lemnis.dev/refresh": "and again" } });
        await user.until("Model", hasFailed(3));
      } finally {
        user.player.accuracy = accuracy;
      }
    },
  },
  {
    name: "roll back",
    run: async (user) => {
      await user.apply("Model", { ...specs.model, aliases: { champion: 1 } });
      await user.until("InferenceService", serves(1));
    },
  },
  {
    name: "roll forward",
    run: async (user) => {
      await user.apply("Model", { ...specs.model, aliases: { champion: 2 } });
      await user.apply("InferenceService", specs.service);
      await user.until("InferenceService", servesAlone(2));
    },
  },
];

/** Waits until all four are Ready, only the revision that serves is left, and no Job runs. */
export async function settle(user: User): Promise<void> {
  for (const kind of ourKinds) await user.until(kind, isReady);
  await user.until("InferenceService", ({ status }) => status.revisions.length === 1);
  await jobsEnded(user);
}

export async function jobsEnded(user: User): Promise<void> {
  const isEnded = ({ status }: Seen) =>
    status?.conditions?.some(({ type, status }: Seen) => ["Complete", "Failed"].includes(type) && status === "True");
  const ended = async () => (await user.list("Job")).every(isEnded);
  await waitUntil(ended, { timeoutMs: patienceMs, failure: () => new Error("L1: a Job does not end") });
}

/** Deletes everything; L2: nothing of it stays. */
export async function tearDown(user: User): Promise<void> {
  for (const kind of ourKinds) for (const { metadata } of await user.list(kind)) await user.delete(kind, metadata.name);
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const left = (await Promise.all([...ourKinds, ...childKinds, "Pod"].map((kind) => user.list(kind)))).flat();
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`L2: left are ${left.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(", ")}`);
    }
    await sleep(200);
  }
}
