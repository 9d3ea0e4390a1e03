import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AgentContext } from "./context.ts";
import { stageCode } from "./stage/code.ts";
import { stageGit } from "./stage/git.ts";
import { stageInputs } from "./stage/inputs.ts";
import { stageModel } from "./stage/model.ts";
import type { StageTask } from "./tasks.ts";

/**
 * Puts all that a container needs where SageMaker's and KServe's contracts say. May run again in the same pod: what is
 * there and right stays, what is wrong is replaced.
 */
export async function stage(context: AgentContext, task: StageTask): Promise<object> {
  const { paths } = context;
  await markStart(join(paths.work, "started-at"));
  if (typeof task.code === "string") await stageCode(paths, task.code);
  else if (task.code) await stageGit(context, task.code);
  if (task.inputs.length > 0) await stageInputs(context, task);
  if (task.hyperparameters) {
    // SageMaker writes every value as a string; here numbers and booleans stay what they are.
    await writeJson(paths.inputConfig, "hyperparameters.json", task.hyperparameters);
  }
  if (task.model) await stageModel(context, task.namespace, task.model);
  return { inputs: task.inputs.length, ...(task.model ? { model: true } : {}) };
}

/** The run's start is that of its first try. */
async function markStart(file: string): Promise<void> {
  if (await readFile(file, "utf8").catch(() => "")) return;
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, new Date().toISOString());
}

async function writeJson(folder: string, name: string, value: unknown): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
}
