import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeDigest } from "../../api/digest.ts";
import type { AgentPaths } from "../context.ts";
import { permanent } from "../failure.ts";

/** Copies the ConfigMap's files to where the training container finds them, when they are those that the run is named by. */
export async function stageCode({ codeSource, code }: AgentPaths, digest: string): Promise<void> {
  const data: Record<string, string> = {};
  for (const name of (await readdir(codeSource)).sort()) {
    // ConfigMap mounts keep their generations in `..data` and `..2026_…`.
    if (name.startsWith("..") || !(await stat(join(codeSource, name))).isFile()) continue;
    data[name] = await readFile(join(codeSource, name), "utf8");
  }
  const found = codeDigest(data);
  if (found !== digest) {
    throw permanent(
      "CodeChanged",
      `the code's ConfigMap changed after the run began: its digest is ${found}, the run's is ${digest}; the new code makes a new run`,
    );
  }
  await mkdir(code, { recursive: true });
  for (const [name, text] of Object.entries(data)) await writeFile(join(code, name), text);
}
