/** A pod's folders under one temporary folder, and the real store beside it. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pino from "pino";
import { Registry } from "prom-client";
import type { AgentPaths, Timing } from "../../../operator/agent/context.ts";
import { runAgent } from "../../../operator/agent/run.ts";
import type { SnapshotTask, Task } from "../../../operator/agent/tasks.ts";
import { StoreClient } from "../../../operator/store/client.ts";
import { type StoreInput, startStore } from "../../../operator/store/server.ts";
import { podPaths } from "../../rig/pod.ts";

export interface Outcome {
  code: number;
  /** The termination message. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect
  message: any;
  /** The log, one line a message. */
  log: string;
}

export interface World {
  paths: AgentPaths;
  store: StoreClient;
  run(task: Task, options?: { timing?: Partial<Timing>; signal?: AbortSignal }): Promise<Outcome>;
  /** Writes a file of the mounted source. */
  source(path: string, content: string | Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Namespace of every task in these tests. */
export const namespace = "team-a";

/** `storeUrl`: of a store that runs already. Default: one in this process. */
export async function startWorld(parent: string = tmpdir(), storeUrl?: string): Promise<World> {
  const root = await mkdtemp(join(parent, "lemnis-agent-"));
  const paths = await podPaths(root);
  const service = storeUrl === undefined ? await startStore(storeIn(root)) : undefined;
  const url = storeUrl ?? service?.url ?? "";
  const store = new StoreClient({ url, token: async () => `${namespace}:default`, tries: 1 });
  return {
    paths,
    store,
    async run(task, options = {}) {
      let log = "";
      const logger = pino(
        { level: "info" },
        {
          write: (line: string) => {
            log += line;
          },
        },
      );
      await rm(paths.terminationLog, { force: true });
      const code = await runAgent({ task, store, logger, paths, allowLoopback: true, ...options });
      return { code, log, message: JSON.parse(await readFile(paths.terminationLog, "utf8")) };
    },
    async source(path, content) {
      const file = join(paths.source, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    },
    async close() {
      await store.close();
      await service?.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

function storeIn(root: string): StoreInput {
  return {
    dataDir: join(root, "store"),
    host: "127.0.0.1",
    port: 0,
    review: async (token) => ({ authenticated: true, username: `system:serviceaccount:${token}` }),
    operatorIdentity: "lemnis-system/lemnis",
    logger: pino({ level: "silent" }),
    registry: new Registry(),
  };
}

/** A snapshot of Dataset `wine` from pvc://data/{path}, or a whole uri. */
export function snapshotTask(path: string, changes: Partial<SnapshotTask> = {}): SnapshotTask {
  return {
    verb: "snapshot",
    namespace,
    dataset: "wine",
    source: { uri: path.includes("://") ? path : `pvc://data/${path}`, secret: false },
    format: "CSV",
    columns: [],
    expectations: [],
    storage: "Copy",
    recipe: `sha256:${"0".repeat(64)}`,
    retain: 10,
    ...changes,
  };
}
