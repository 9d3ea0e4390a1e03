/** Plays what a cluster without nodes lacks: pods run, and Lemnis's containers do their tasks in the store. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { permanentFailure, type Task, type TaskFailure, task as taskSchema } from "../../operator/agent/tasks.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import { Reflector } from "../../operator/kube/reflector.ts";
import { pods } from "../../operator/kube/resources.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import { StoreClient } from "../../operator/store/client.ts";
import { type Outcome, perform } from "./played-tasks.ts";

interface PodContainer {
  name: string;
  env?: { name: string; value?: string }[];
}
interface PlayedPod extends KubeObject {
  spec: { initContainers?: PodContainer[]; containers: PodContainer[] };
  status?: { phase?: string };
}

export class Player {
  /** What the sources hold, by namespace: other text is another version. */
  readonly data = new Map<string, string>();
  /** What comes of reading or deriving a Dataset, by namespace/name. */
  readonly outcomes = new Map<string, Outcome>();
  /** What the next evaluations measure. */
  accuracy = 0.95;
  /** While true, pods stay as they are. */
  paused = false;
  readonly #client: KubeClient;
  readonly #storeUrl: string;
  readonly #stop = new AbortController();
  readonly #pods: Reflector<PlayedPod>;
  /** The uids of pods that have run; the cache hears of it a moment later. */
  readonly #played = new Set<string>();
  readonly #running: Promise<void>;
  #folder: string | undefined;

  constructor(client: KubeClient, storeUrl: string) {
    this.#client = client;
    this.#storeUrl = storeUrl;
    this.#pods = new Reflector(client, pods, { labelSelector: "app.kubernetes.io/managed-by=lemnis" });
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    const watching = this.#pods.run(this.#stop.signal);
    while (!this.#stop.signal.aborted) {
      if (!this.paused)
        await Promise.all(this.#pods.cache.list().map((pod) => this.#attend(pod).catch(() => undefined)));
      await sleep(20);
    }
    await watching;
  }

  /** What fails, as while the cluster is being hurt, is tried again. */
  async #attend(pod: PlayedPod): Promise<void> {
    const { uid = "", deletionTimestamp } = pod.metadata;
    if (deletionTimestamp) return this.#client.delete(pods, { ...pod.metadata, uid });
    if ((pod.status?.phase ?? "Pending") !== "Pending" || this.#played.has(uid)) return;
    await this.#play(pod);
    this.#played.add(uid);
  }

  async #play(pod: PlayedPod): Promise<void> {
    const last = pod.spec.containers.at(-1);
    const text = last?.env?.find(({ name }) => name === "LEMNIS_TASK")?.value;
    const task = text ? taskSchema.parse(JSON.parse(text.replaceAll("$$", "$"))) : undefined;
    // A server has a task too, and no end.
    const failure = task && task.verb !== "features" ? await this.#perform(task) : undefined;
    const ends = task !== undefined && task.verb !== "features";
    const time = new Date().toISOString();
    const exit = failure ? { exitCode: permanentFailure, message: JSON.stringify(failure) } : { exitCode: 0 };
    const state = ends
      ? { terminated: { ...exit, startedAt: time, finishedAt: time } }
      : { running: { startedAt: time } };
    const status = {
      phase: ends ? (failure ? "Failed" : "Succeeded") : "Running",
      conditions: ends ? [] : [{ type: "Ready", status: "True", lastTransitionTime: time }],
      containerStatuses: pod.spec.containers.map(({ name }) => ({
        ...{ name, state, ready: !ends, restartCount: 0, image: "", imageID: "", started: !ends },
      })),
    };
    const { name, namespace = "" } = pod.metadata;
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace }, status };
    await this.#client.apply(pods, body as KubeObject, { subresource: "status", manager: "kubelet" });
  }

  /** What the pod's agent would leave in the store, or why it would not. */
  async #perform(task: Task): Promise<TaskFailure | undefined> {
    const { namespace } = task;
    this.#folder ??= await mkdtemp(join(tmpdir(), "lemnis-player-"));
    const store = new StoreClient({ url: this.#storeUrl, token: async () => `${namespace}:default`, tries: 1 });
    try {
      return await perform(task, { store, folder: this.#folder, ...this.#world(namespace) });
    } finally {
      await store.close();
    }
  }

  #world(namespace: string) {
    const data = this.data.get(namespace) ?? "first";
    const outcomes = (dataset: string) => this.outcomes.get(`${namespace}/${dataset}`) ?? {};
    return { data, accuracy: this.accuracy, outcomes };
  }
}
