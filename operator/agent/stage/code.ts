import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeDigest } from "../../api/digest.ts";
import type { AgentPaths } from "../context.ts";
import { permanent } from "../failure.ts";

/** Copies the ConfigMap's files to where the training container finds them, when they are those that the run is named by. */
export async function stageCode({ codeSource, code }: AgentPaths, digest: string): Promise<void> {
  const files: Record<string, string> = {};
  for (const name of (await readdir(codeSource)).sort()) {
    // ConfigMap mounts keep their generations in `..data` and `..2026_…`.
    if (name.startsWith("..") || !(await stat(join(codeSource, name))).isFile()) continue;
    files[name] = await readFile(join(codeSource, name), "base64");
  }
  const found = codeDigest(files);
  if (found !== digest) {
    throw permanent(
      "CodeChanged",
      `the code's ConfigMap changed after the run began: its digest is ${found}, the run's is ${digest}; the new code makes a new run`,
    );
  }
  await mkdir(code, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(code, name), content, "base64");
}
