import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type AgentPaths, agentPaths } from "../../operator/agent/context.ts";

/** A pod's folders, under one. */
export async function podPaths(root: string): Promise<AgentPaths> {
  const paths = Object.fromEntries(
    Object.entries(agentPaths).map(([name, path]) => [name, join(root, path)]),
  ) as unknown as AgentPaths;
  const { work, source, secret, codeSource, model, output, terminationLog } = paths;
  for (const folder of [work, source, secret, codeSource, model, output, dirname(terminationLog)]) {
    await mkdir(folder, { recursive: true });
  }
  return paths;
}
