import { rm } from "node:fs/promises";
import { join } from "node:path";
import { manifestDigest } from "../../store/api.ts";
import { fetchVerified } from "../artifact/fetch-verified.ts";
import { describeFile, listTree } from "../artifact/files.ts";
import { placeFiles } from "../artifact/place.ts";
import type { AgentContext } from "../context.ts";
import type { StageTask } from "../tasks.ts";

/** The model's files at /mnt/models, each verified: a runtime never loads what is not what was asked for. */
export async function stageModel(
  context: AgentContext,
  namespace: string,
  model: NonNullable<StageTask["model"]>,
): Promise<void> {
  const folder = context.paths.servedModel;
  if ("name" in model) {
    const { files } = await context.store.getModelVersion(namespace, model.name, model.digest);
    await removeOthers(folder, new Set(files.map(({ path }) => path)));
    await placeFiles(context, namespace, { folder, files: files.map((entry) => ({ entry, target: entry.path })) });
    return;
  }
  if (model.digest && (await holds(folder, model.digest))) return;
  await removeOthers(folder, new Set());
  await fetchVerified(context, model, folder);
}

/** What an earlier try left is not the model's. */
async function removeOthers(folder: string, wanted: ReadonlySet<string>): Promise<void> {
  for (const { path } of await listTree(folder, "InternalError")) {
    if (!wanted.has(path)) await rm(join(folder, path));
  }
}

async function holds(folder: string, digest: string): Promise<boolean> {
  const files = await listTree(folder, "InternalError");
  const entries = [];
  for (const file of files) entries.push(await describeFile(file));
  return (
    (entries.length === 1 && entries[0]?.digest === digest) ||
    (entries.length > 0 && manifestDigest(entries) === digest)
  );
}
