/** What Lemnis's containers would do, as far as the store sees it. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { permanent, redact } from "../../operator/agent/failure.ts";
import type {
  DeriveTask,
  EvaluateTask,
  ImportTask,
  PublishTask,
  SnapshotTask,
  Task,
  TaskFailure,
} from "../../operator/agent/tasks.ts";
import type { DatasetVersionInput, FileEntry } from "../../operator/store/api.ts";
import type { StoreClient } from "../../operator/store/client.ts";
import { datasetInput, fileOf } from "../builders/store.ts";

/** What comes of reading a Dataset's source, where it is not what it usually is. */
export interface Outcome {
  failure?: TaskFailure;
  facts?: Partial<DatasetVersionInput>;
}

interface Surroundings {
  store: StoreClient;
  folder: string;
  /** What the sources hold. */
  data: string;
  /** What evaluations measure. */
  accuracy: number;
  outcomes: (dataset: string) => Outcome;
}

/** Throws a TaskError where the outcome is to be one. */
export async function perform(task: Task, around: Surroundings): Promise<void> {
  if (task.verb === "snapshot" || task.verb === "derive") await makeVersion(task, around);
  if (task.verb === "publish") await publish(task, around);
  if (task.verb === "import") await importModel(task, around);
  if (task.verb === "evaluate") await evaluate(task, around);
}

async function makeVersion(task: SnapshotTask | DeriveTask, around: Surroundings): Promise<void> {
  const { namespace, dataset, retain, recipe } = task;
  const { failure, facts } = around.outcomes(dataset);
  if (failure) throw permanent(failure.reason, failure.message);
  const inputs = task.verb === "derive" ? task.inputs : [];
  const content = inputs.length > 0 ? inputs.map(({ digest }) => digest).join(" ") : around.data;
  const files = [
    await upload(around, namespace, { path: "train/data.csv", content }),
    await upload(around, namespace, { path: "test/data.csv", content }),
  ];
  const parents = await Promise.all(
    inputs.map(async ({ dataset, digest, split }) => {
      const { version, revision } = await around.store.getDatasetVersion(namespace, dataset, digest);
      return { dataset, version, digest, ...(revision ? { revision } : {}), ...(split ? { split } : {}) };
    }),
  );
  const columns = [{ name: "class", type: "Int64" as const, nullable: false, role: "Label" as const }];
  const splits = { train: 80, test: 20 };
  const about = { rows: 100, splits, columns, retain, recipe, ...(inputs.length > 0 ? { parents } : {}), ...facts };
  await around.store.registerDatasetVersion(namespace, dataset, datasetInput(files, about));
}

async function publish(task: PublishTask, around: Surroundings): Promise<void> {
  const { namespace, trainingJob, runDigest: digest } = task;
  const content = `${digest}: ${around.data}`;
  const file = await upload(around, namespace, { path: "model.joblib", content });
  const times = { startedAt: new Date().toISOString(), finishedAt: new Date().toISOString() };
  const model = { ...task.model, files: [file] };
  await around.store.putRun(namespace, { trainingJob, digest }, { ...task.run, phase: "Succeeded", ...times, model });
}

async function importModel(task: ImportTask, around: Surroundings): Promise<void> {
  const { namespace, model, format, source, digest } = task;
  const files = [await upload(around, namespace, { path: "model.joblib", content: digest })];
  await around.store.registerImport(namespace, model, { format, files, source: { uri: redact(source.uri), digest } });
}

async function evaluate(task: EvaluateTask, { store, accuracy, folder }: Surroundings): Promise<void> {
  const { namespace, model, version, evaluationDigest: digest } = task;
  const { files } = await store.getModelVersion(namespace, model, String(version));
  for (const file of files) await store.download(namespace, file.digest, join(folder, "downloaded"));
  const { dataset, datasetVersion, datasetDigest, split } = task;
  const result = { dataset, datasetVersion, datasetDigest, split, rows: 20, metrics: { accuracy } };
  await store.putEvaluation(namespace, { model, version, digest }, result);
}

async function upload(
  { store, folder }: Surroundings,
  namespace: string,
  { path, content }: { path: string; content: string },
): Promise<FileEntry> {
  const text = `${path}: ${content}`;
  const file = join(folder, createHash("sha256").update(text).digest("hex"));
  await writeFile(file, text);
  const entry = fileOf(text, path);
  await store.uploadFile(namespace, file, entry);
  return entry;
}
