/** One life of a model, as its users drive it: made, scaled, trained again, rolled back and forward, deleted. */
import { setTimeout as sleep } from "node:timers/promises";
import { apiVersion } from "../../operator/api/v1alpha1/common.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import { type Rig, resourceOf } from "../rig/cluster.ts";
import type { Player } from "../rig/player.ts";
import { ourKinds, type Seen } from "./history.ts";

const patienceMs = 90_000;

export interface Stage {
  name: string;
  run: (user: User) => Promise<void>;
}

/** What a user of one namespace does, straight on the API server. */
export class User {
  readonly namespace: string;
  readonly rig: Rig;
  readonly player: Player;

  constructor(rig: Rig, player: Player, namespace: string) {
    [this.rig, this.player, this.namespace] = [rig, player, namespace];
  }

  async apply(kind: string, spec: object, metadata: object = {}): Promise<void> {
    const object = { apiVersion, kind, metadata: { name: "wine", namespace: this.namespace, ...metadata }, spec };
    await insist(() => this.rig.client.apply(resourceOf(kind), object as KubeObject, { manager: "kubectl" }));
  }

  get(kind: string): Promise<Seen> {
    return insist(() => this.rig.client.get<Seen>(resourceOf(kind), this.namespace, "wine"));
  }

  async delete(kind: string): Promise<void> {
    const found = await this.rig.client.get(resourceOf(kind), this.namespace, "wine").catch(() => undefined);
    if (!found) return;
    const { metadata } = found;
    await insist(() => this.rig.client.delete(resourceOf(kind), { ...metadata, uid: metadata.uid ?? "" }));
  }

  async list(kind: string): Promise<Seen[]> {
    const { items } = await insist(() => this.rig.client.list<Seen>(resourceOf(kind), {}));
    return items.filter(({ metadata }) => metadata.namespace === this.namespace);
  }

  /** Waits until the object is as asked; the failure shows how it is. */
  async until(kind: string, is: (object: Seen) => boolean): Promise<void> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const object = await this.get(kind);
      if (is(object)) return;
      if (performance.now() > deadline) throw new Error(`L1: ${kind} stays ${JSON.stringify(object.status)}`);
      await sleep(50);
    }
  }
}

/** A user whose API server is away tries again. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(200);
    }
  }
}

export const isReady = ({ metadata: { generation }, status }: Seen): boolean =>
  status?.observedGeneration === generation &&
  status.conditions.some((condition: Seen) => condition.type === "Ready" && condition.status === "True") &&
  !status.conditions.some((condition: Seen) => condition.type === "Reconciling" && condition.status === "True");

const serves = (version: number) => (object: Seen) => isReady(object) && object.status.modelVersion === version;

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
      await user.until("InferenceService", serves(2));
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
      await user.until("InferenceService", serves(2));
    },
  },
];

/** Waits until all four are Ready and only the revision that serves is left. */
export async function settle(user: User): Promise<void> {
  for (const kind of ourKinds) await user.until(kind, isReady);
  await user.until("InferenceService", ({ status }) => status.revisions.length === 1);
}

/** Deletes everything; L2: nothing of it stays. */
export async function tearDown(user: User): Promise<void> {
  for (const kind of ourKinds) await user.delete(kind);
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const left = (
      await Promise.all([...ourKinds, "Job", "Deployment", "Service", "Pod"].map((kind) => user.list(kind)))
    ).flat();
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`L2: left are ${left.map(({ metadata }) => metadata.name).join(", ")}`);
    }
    await sleep(200);
  }
}
