/** Plays what a cluster without nodes lacks: pods run, and Lemnis's containers do their tasks in the store. */

import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { asTaskError, failureJson, redact, type TaskError } from "../../operator/agent/failure.ts";
import {
  type DeriveTask,
  type EvaluateTask,
  type ImportTask,
  type PublishTask,
  permanentFailure,
  type SnapshotTask,
  type Task,
  task as taskSchema,
} from "../../operator/agent/tasks.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import { Reflector } from "../../operator/kube/reflector.ts";
import { pods } from "../../operator/kube/resources.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import type { DatasetVersionInput } from "../../operator/store/api.ts";
import { StoreClient, StoreError } from "../../operator/store/client.ts";
import { datasetInput, fileOf } from "../builders/store.ts";

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
  /** What the next evaluations measure. */
  accuracy = 0.95;
  /** While true, pods stay as they are. */
  paused = false;
  /** Done after a task, before its pod is seen to have ended. */
  onPerformed: ((task: Task) => Promise<void>) | undefined;
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

  /** What the pod's agent would leave in the store; why it would fail, when bytes in the store are damaged. */
  async #perform(task: Task): Promise<TaskError | undefined> {
    const store = new StoreClient({ url: this.#storeUrl, token: async () => `${task.namespace}:default`, tries: 1 });
    try {
      if (task.verb === "snapshot") await this.#register(store, task, {});
      if (task.verb === "derive") await this.#register(store, task, { parents: await parentsOf(store, task) });
      if (task.verb === "publish") await this.#publish(store, task);
      if (task.verb === "import") await this.#import(store, task);
      if (task.verb === "evaluate") await this.#evaluate(store, task);
    } catch (error) {
      if (error instanceof StoreError && error.code === "DigestMismatch") return asTaskError(error);
      throw error;
    } finally {
      await store.close();
    }
    await this.onPerformed?.(task);
    return undefined;
  }

  async #register(
    store: StoreClient,
    { namespace, dataset, recipe, retain }: SnapshotTask | DeriveTask,
    { parents }: Pick<DatasetVersionInput, "parents">,
  ): Promise<void> {
    const of = parents?.map(({ digest }) => digest).join() ?? "";
    const files = [
      { ...(await this.#upload(store, namespace, `train/data.csv${of}`)), path: "train/data.csv" },
      { ...(await this.#upload(store, namespace, `test/data.csv${of}`)), path: "test/data.csv" },
    ];
    const columns = [{ name: "class", type: "Int64" as const, nullable: false, role: "Label" as const }];
    const splits = { train: 80, test: 20 };
    const { source, ...version } = datasetInput(files, { rows: 100, splits, columns, recipe, retain });
    const from = parents ? { parents } : source ? { source } : {};
    await store.registerDatasetVersion(namespace, dataset, { ...version, ...from });
  }

  async #publish(store: StoreClient, { namespace, trainingJob, runDigest, run, model }: PublishTask): Promise<void> {
    const file = await this.#upload(store, namespace, `model of ${runDigest}`);
    const times = { startedAt: new Date().toISOString(), finishedAt: new Date().toISOString() };
    const result = { ...run, phase: "Succeeded" as const, ...times };
    const files = [{ ...file, path: "model.joblib" }];
    await store.putRun(namespace, { trainingJob, digest: runDigest }, { ...result, model: { ...model, files } });
  }

  async #import(store: StoreClient, { namespace, model, format, source: { uri }, digest }: ImportTask): Promise<void> {
    const file = await this.#upload(store, namespace, `model at ${digest}`);
    const files = [{ ...file, path: "model.joblib" }];
    await store.registerImport(namespace, model, { format, files, source: { uri: redact(uri), digest } });
  }

  async #evaluate(store: StoreClient, task: EvaluateTask): Promise<void> {
    const { namespace, model, version, evaluationDigest, dataset, datasetVersion, datasetDigest, split } = task;
    const { files } = await store.getModelVersion(namespace, model, String(version));
    for (const { digest } of files) await store.download(namespace, digest, join(await this.#local(), "downloaded"));
    const measured = { rows: 20, metrics: { accuracy: this.accuracy } };
    const result = { dataset, datasetVersion, datasetDigest, split, ...measured };
    await store.putEvaluation(namespace, { model, version, digest: evaluationDigest }, result);
  }

  async #upload(store: StoreClient, namespace: string, path: string) {
    const content = `${path}: ${this.data.get(namespace) ?? "first"}`;
    const file = join(await this.#local(), createHash("sha256").update(content).digest("hex"));
    await writeFile(file, content);
    const entry = fileOf(content, path);
    await store.uploadFile(namespace, file, entry);
    return entry;
  }

  /** A folder of its own, made once. */
  #local(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "lemnis-player-"));
    return this.#folder;
  }
}

function parentsOf(store: StoreClient, { namespace, inputs }: DeriveTask) {
  return Promise.all(
    inputs.map(async ({ dataset, digest, split }) => {
      const { version } = await store.getDatasetVersion(namespace, dataset, digest);
      return { dataset, version, digest, ...(split ? { split } : {}) };
    }),
  );
}
