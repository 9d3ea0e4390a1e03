/** How fast snapshots are, beside a plain copy of the same bytes with their sha256. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import type { SnapshotTask } from "../../../operator/agent/tasks.ts";
import { namespace, snapshotTask, startWorld } from "../../integration/agent/world.ts";
import { startStore } from "../../rig/store.ts";

/** `flush`: until the copy is on the disk, as a version in the store is. */
interface CopyOptions {
  flush?: boolean;
}

/** Seconds that a plain copy with sha256 takes, in one pass. */
export async function copyFile(file: string, { flush = false }: CopyOptions = {}): Promise<number> {
  return timed(file, async (folder) => {
    const hash = createHash("sha256");
    async function* hashed(source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        hash.update(chunk);
        yield chunk;
      }
    }
    const copy = createWriteStream(join(folder, "copy"), { flush });
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hashed, copy);
  });
}

/** The same by `cp` and `sha256sum`. */
export async function copyByTools(file: string): Promise<number> {
  const run = promisify(execFile);
  return timed(file, async (folder) => {
    await run("cp", [file, join(folder, "copy")]);
    await run("sha256sum", [join(folder, "copy")]);
  });
}

/** The same of the files of a folder, one after the other. */
export async function copyFiles(source: string, { flush = false }: CopyOptions = {}): Promise<number> {
  const names = await readdir(source);
  return timed(source, async (folder) => {
    for (const name of names) {
      const bytes = readFileSync(join(source, name));
      createHash("sha256").update(bytes).digest();
      writeFileSync(join(folder, name), bytes, { flush });
    }
  });
}

/** `work` gets an empty folder beside the source. */
async function timed(source: string, work: (folder: string) => Promise<void>): Promise<number> {
  const folder = await mkdtemp(join(dirname(source), "copy-"));
  const started = performance.now();
  await work(folder);
  const seconds = (performance.now() - started) / 1000;
  await rm(folder, { recursive: true });
  return seconds;
}

export async function writeFiles(folder: string, { count, bytes }: { count: number; bytes: number }): Promise<string> {
  await mkdir(folder);
  for (let index = 0; index < count; index++) writeFileSync(join(folder, `${index}.bin`), randomBytes(bytes));
  return folder;
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

/** Seconds until a mounted file or folder is a version in a real store, which is a process of its own. */
export async function snapshot(source: string, changes: Partial<SnapshotTask>): Promise<number> {
  const folder = await mkdtemp(join(dirname(source), "store-"));
  const service = await startStore(folder, folder);
  const world = await startWorld(dirname(source), service.url);
  await mkdir(world.paths.source, { recursive: true });
  const mounted = join(world.paths.source, basename(source));
  await rename(source, mounted);
  try {
    const run = async (path: string, dataset: string) => {
      const { code, message } = await world.run(snapshotTask(path, { ...changes, dataset }));
      if (code !== 0) throw new Error(message.message);
    };
    // All programs have what they import by then, and have compiled what they run, as the copy has.
    await world.source("first.csv", "a,b\n1,2\n3,4\n");
    await run("first.csv", "first");
    const warm = join(folder, "warm");
    await writeFile(warm, randomBytes(64 << 20));
    for (let round = 0; round < 3; round++) await world.store.uploadFile(namespace, warm);
    const started = performance.now();
    await run(basename(source), "data");
    return (performance.now() - started) / 1000;
  } finally {
    await rename(mounted, source);
    await world.close();
    await service.kill();
    await rm(folder, { recursive: true });
  }
}
