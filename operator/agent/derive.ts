import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AgentContext } from "./context.ts";
import { transform } from "./derive/transform.ts";
import { registerDerived } from "./derive/version.ts";
import type { DeriveTask } from "./tasks.ts";

/** Makes a version of a derived Dataset: its inputs, joined and transformed, as Parquet. */
export async function derive(context: AgentContext, task: DeriveTask): Promise<object> {
  const folder = join(context.paths.work, "derive");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const derived = await transform(context, task, folder);
  context.logger.info({ inputs: task.inputs.length, rows: derived.rows }, "derived the rows");
  const { version, digest, rows, bytes } = await registerDerived(context, task, derived);
  context.logger.info({ version, digest, rows }, "registered the version");
  return { version, digest, rows, bytes };
}
