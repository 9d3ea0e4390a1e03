/** A pod that reads one source: its folders, its Secret, and what it fetched. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type AgentPaths, agentPaths, defaultTiming } from "../../../operator/agent/context.ts";
import { type Fetched, type FetchOptions, fetchSource, type Unchanged } from "../../../operator/agent/source/fetch.ts";
import type { SourceContext } from "../../../operator/agent/source/network.ts";
import type { ArtifactLocation } from "../../../operator/agent/tasks.ts";

export interface Pod {
  paths: AgentPaths;
  context: SourceContext;
  /** Writes the Secret's keys, which are then mounted. */
  secret(keys: Record<string, string>): Promise<void>;
  fetch(
    location: Partial<ArtifactLocation> & { uri: string },
    options?: Partial<FetchOptions>,
  ): Promise<Fetched | Unchanged>;
  close(): Promise<void>;
}

export async function startPod(changes: Partial<SourceContext> = {}): Promise<Pod> {
  const root = await mkdtemp(join(tmpdir(), "lemnis-source-"));
  const paths = Object.fromEntries(
    Object.entries(agentPaths).map(([name, path]) => [name, join(root, path)]),
  ) as unknown as AgentPaths;
  for (const folder of [paths.work, paths.source, paths.secret]) await mkdir(folder, { recursive: true });
  const timing = { ...defaultTiming, idle: 2_000 };
  const context: SourceContext = { paths, timing, allowLoopback: true, ...changes };
  let hasSecret = false;
  let fetches = 0;
  return {
    paths,
    context,
    async secret(keys) {
      hasSecret = true;
      for (const [key, value] of Object.entries(keys)) await writeFile(join(paths.secret, key), value);
    },
    fetch: (location, options = {}) =>
      fetchSource(
        context,
        { secret: hasSecret, ...location },
        { into: join(paths.work, `source-${fetches++}`), wanted: () => true, ...options },
      ),
    close: () => rm(root, { recursive: true, force: true }),
  };
}

/** What was fetched, by path. */
export async function contents(fetched: Fetched | Unchanged): Promise<Record<string, string>> {
  if ("unchanged" in fetched) throw new Error("nothing was fetched: the source has not changed");
  const read = fetched.files.map(async ({ path, local }) => [path, await readFile(local, "utf8")]);
  return Object.fromEntries(await Promise.all(read));
}

/** What a refusal must look like. */
export function failure(reason: string, message: RegExp | string, retryable = false) {
  const says = typeof message === "string" ? new RegExp(message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")) : message;
  return { reason, retryable, message: expect.stringMatching(says) };
}
