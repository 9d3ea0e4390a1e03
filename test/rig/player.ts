/** Plays what a cluster without nodes lacks: pods run, and Lemnis's containers do their tasks in the store. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { asTaskError, failureJson, TaskError } from "../../operator/agent/failure.ts";
import { permanentFailure, type Task, task as taskSchema } from "../../operator/agent/tasks.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import { Reflector } from "../../operator/kube/reflector.ts";
import { pods } from "../../operator/kube/resources.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import { StoreClient, StoreError } from "../../operator/store/client.ts";
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
  /** Does a task, with something before and after it that nobody may miss; its pod ends afterwards. */
  around: ((task: Task, perform: () => Promise<void>) => Promise<void>) | undefined;
  readonly #client: KubeClient;
  readonly #storeUrl: string;
  readonly #stop = new AbortController();
  readonly #pods: Reflector<PlayedPod>;
  /** The uids of pods that have run; the cache hears of it a moment later. */
  readonly #played = new Set<string>();
  readonly #running: Promise<void>;
  #folder: Promise<string> | undefined;

  constructor(client: KubeClient, storeUrl: string) {
    this.#client = client;
    this.#storeUrl = storeUrl;
    this.#pods = new Reflector(client, pods, { labelSelector: "app.kubernetes.io/managed-by=lemnis" });
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true });
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
    const serves = !task || task.verb === "features";
    const failure = task && (await this.#perform(task));
    const time = new Date().toISOString();
    const exit = failure
      ? { exitCode: failure.retryable ? 1 : permanentFailure, message: failureJson(failure) }
      : { exitCode: 0 };
    const state = serves
      ? { running: { startedAt: time } }
      : { terminated: { ...exit, startedAt: time, finishedAt: time } };
    const status = {
      phase: failure ? "Failed" : serves ? "Running" : "Succeeded",
      conditions: serves ? [{ type: "Ready", status: "True", lastTransitionTime: time }] : [],
      containerStatuses: pod.spec.containers.map(({ name }) => ({
        ...{ name, state, ready: serves, restartCount: 0, image: "", imageID: "", started: serves },
      })),
    };
    const { name, namespace = "" } = pod.metadata;
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace }, status };
    await this.#client.apply(pods, body as KubeObject, { subresource: "status", manager: "kubelet" });
  }

  /** What the pod's agent would leave in the store, or why it would not; damaged bytes in the store are a reason. */
  async #perform(task: Task): Promise<TaskError | undefined> {
    const { namespace } = task;
    const store = new StoreClient({ url: this.#storeUrl, token: async () => `${namespace}:default`, tries: 1 });
    const outcomes = (dataset: string) => this.outcomes.get(`${namespace}/${dataset}`) ?? {};
    const data = this.data.get(namespace) ?? "first";
    try {
      const folder = await this.#local();
      const work = () => perform(task, { store, folder, data, accuracy: this.accuracy, outcomes });
      await (this.around ? this.around(task, work) : work());
      return undefined;
    } catch (error) {
      if (error instanceof TaskError) return error;
      if (error instanceof StoreError && error.code === "DigestMismatch") return asTaskError(error);
      throw error;
    } finally {
      await store.close();
    }
  }

  /** A folder of its own, made once. */
  #local(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "lemnis-player-"));
    return this.#folder;
  }
}
