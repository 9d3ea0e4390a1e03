import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { listTree } from "./artifact/files.ts";
import { uploadFiles } from "./artifact/upload.ts";
import type { AgentContext } from "./context.ts";
import { clip, errorCode, errorText, permanent } from "./failure.ts";
import type { PublishTask } from "./tasks.ts";

/** Stores what the training container made, and registers run and model together. */
export async function publish(context: AgentContext, task: PublishTask): Promise<object> {
  const { paths, store, logger } = context;
  const { namespace, trainingJob, runDigest, run, model } = task;
  const files = await listTree(paths.model, "ModelMissing");
  if (files.length === 0) {
    throw permanent(
      "ModelMissing",
      "the training container wrote nothing to /opt/ml/model: write the model's files there (the variable SM_MODEL_DIR names it)",
    );
  }
  const metrics = await readMetrics(join(paths.output, "metrics.json"));
  const startedAt = await readFile(join(paths.work, "started-at"), "utf8").catch(() => undefined);
  const finishedAt = new Date().toISOString();
  const entries = await uploadFiles(context, namespace, files);
  const registered = await store.putRun(
    namespace,
    { trainingJob, digest: runDigest },
    {
      ...run,
      phase: "Succeeded",
      startedAt: startedAt?.trim() || finishedAt,
      finishedAt,
      ...(metrics ? { metrics } : {}),
      model: { ...model, files: entries },
    },
  );
  const made = { modelVersion: registered.model?.version, digest: registered.model?.digest };
  logger.info(made, "registered the run and its model");
  return { ...made, metrics: Object.keys(metrics ?? {}).length };
}

const metricsBytes = 1 << 20;

/** The numbers that the training container reports; it need not. */
async function readMetrics(file: string): Promise<Record<string, number> | undefined> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw permanent("MetricsInvalid", `/opt/ml/output/metrics.json can't be read: ${errorText(error)}`);
  });
  if (text === undefined) return undefined;
  const shape = 'write one flat JSON object of numbers, such as {"accuracy": 0.93}';
  if (text.length > metricsBytes)
    throw permanent("MetricsInvalid", `/opt/ml/output/metrics.json is larger than 1 MiB: ${shape}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const hint = /\b(NaN|Infinity)\b/.test(text)
      ? "NaN and Infinity are no JSON numbers: leave such metrics out"
      : shape;
    throw permanent(
      "MetricsInvalid",
      `/opt/ml/output/metrics.json is not JSON (${clip(errorText(error), 200)}): ${hint}`,
    );
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw permanent("MetricsInvalid", `/opt/ml/output/metrics.json is no object: ${shape}`);
  }
  for (const [key, number] of Object.entries(value)) {
    if (key === "" || key.length > 128)
      throw permanent(
        "MetricsInvalid",
        `metrics.json: a metric's name has 1 to 128 characters, not "${clip(key, 140)}"`,
      );
    if (typeof number !== "number" || !Number.isFinite(number)) {
      throw permanent("MetricsInvalid", `metrics.json: "${key}" is ${describe(number)}, not a finite number: ${shape}`);
    }
  }
  return value as Record<string, number>;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object (metrics can't be nested)";
  return clip(JSON.stringify(value) ?? "nothing", 64);
}
