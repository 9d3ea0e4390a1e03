import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { sized } from "./artifact/files.ts";
import type { AgentContext } from "./context.ts";
import { transform } from "./derive/transform.ts";
import type { DeriveTask } from "./tasks.ts";
import { registerVersion } from "./version/register.ts";

/** Makes a version of a derived Dataset: its inputs, joined and transformed, as Parquet. */
export async function derive(context: AgentContext, task: DeriveTask): Promise<object> {
  const folder = join(context.paths.work, "derive");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { file, rows, columns, inputs } = await transform(context, task, folder);
  context.logger.info({ inputs: inputs.length, rows }, "derived the rows");
  return registerVersion(
    context,
    { ...task, columns },
    {
      format: "Parquet",
      files: [sized({ path: "result.parquet", local: file })],
      facts: { parents: inputs.map(({ parent }) => parent) },
    },
  );
}
