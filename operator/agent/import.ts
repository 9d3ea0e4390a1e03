import { join } from "node:path";
import { fetchVerified } from "./artifact/fetch-verified.ts";
import { uploadFiles } from "./artifact/upload.ts";
import type { AgentContext } from "./context.ts";
import { redact } from "./failure.ts";
import type { ImportTask } from "./tasks.ts";

/** Registers a model that was trained elsewhere. */
export async function importModel(context: AgentContext, task: ImportTask): Promise<object> {
  const { namespace, model, format, source, digest } = task;
  const { files } = await fetchVerified(context, { ...source, digest }, join(context.paths.work, "model"));
  const entries = await uploadFiles(context, namespace, files);
  const version = await context.store.registerImport(namespace, model, {
    format,
    files: entries,
    source: { uri: redact(source.uri), digest },
  });
  context.logger.info({ version: version.version, digest: version.digest }, "registered the imported model");
  return { version: version.version, digest: version.digest };
}
