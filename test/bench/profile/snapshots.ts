/** How fast snapshots are, beside a plain copy of the same bytes with their sha256. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { link, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { pipeline } from "node:stream/promises";
import type { SnapshotTask } from "../../../operator/agent/tasks.ts";
import { snapshotTask, startWorld } from "../../integration/agent/world.ts";
import { startStore } from "../../rig/store.ts";

/** MB a second. `flush`: until the copy is on the disk, as a version in the store is. */
export async function copySpeed(file: string, { flush = false } = {}): Promise<number> {
  const folder = await mkdtemp(join(dirname(file), "copy-"));
  const hash = createHash("sha256");
  const started = performance.now();
  async function* hashed(source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const copy = createWriteStream(join(folder, "copy"), { flush });
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hashed, copy);
  const speed = await speedSince(started, file);
  await rm(folder, { recursive: true });
  return speed;
}

const shares = [
  { name: "train", percent: 80 },
  { name: "test", percent: 20 },
];
export const snapshots: Record<string, Partial<SnapshotTask>> = {
  Files: { format: "Files" },
  "CSV with its profile": {},
  "CSV with its profile and two splits": { splits: { seed: 0, shares } },
};

/** MB a second of a mounted file that becomes a version in a real store, which is a process of its own. */
export async function snapshotSpeed(file: string, changes: Partial<SnapshotTask>): Promise<number> {
  const folder = await mkdtemp(join(dirname(file), "store-"));
  const service = await startStore(folder, folder);
  const world = await startWorld(dirname(file), service.url);
  try {
    await mkdir(world.paths.source, { recursive: true });
    await link(file, join(world.paths.source, "data.csv"));
    const snapshot = async (path: string, dataset: string) => {
      const { code, message } = await world.run(snapshotTask(path, { ...changes, dataset }));
      if (code !== 0) throw new Error(message.message);
    };
    // All programs have what they import by then, as the copy has.
    await world.source("first.csv", "a,b\n1,2\n3,4\n");
    await snapshot("first.csv", "first");
    const started = performance.now();
    await snapshot("data.csv", "data");
    return await speedSince(started, file);
  } finally {
    await world.close();
    await service.kill();
    await rm(folder, { recursive: true });
  }
}

async function speedSince(started: number, file: string): Promise<number> {
  return (await stat(file)).size / 1e6 / ((performance.now() - started) / 1000);
}
