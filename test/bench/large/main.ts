/** A Dataset that is much larger than the memory of the pod that reads it. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { link, mkdir, mkdtemp, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { agentPaths } from "../../../operator/agent/context.ts";
import { withProgress } from "../../cluster/progress.ts";
import { startStore } from "../../rig/store.ts";
import { writeCsv } from "../profile/data.ts";
import { snapshots } from "../profile/snapshots.ts";
import type { Report } from "../report.ts";

export const usage = `npm run bench -- large [--gigabytes 10] [--memory 1024] [--folder FOLDER]
  --gigabytes  of one CSV file of 20 columns (10)
  --memory     MiB that the pod may use, its page cache included (1024)
  --folder     where the data goes; three times its size is needed (the system's temporary folder)
Needs root: the pod is a cgroup of its own.`;

const rowBytes = 161;

/** cgroups of version 1 have a tree for memory alone. */
const isFirst = existsSync("/sys/fs/cgroup/memory");
const root = isFirst ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
const limit = isFirst ? "memory.limit_in_bytes" : "memory.max";
const group = join(root, `lemnis-bench-${process.pid}`);
/** Goes into the cgroup, sees it as the only one, as a container does, and becomes the command that follows. */
const confine = `echo $$ > ${group}/cgroup.procs && mount --bind ${group} ${root} && exec "$@"`;

interface Told {
  seconds: number;
  megabytes: number;
  rows: number;
}

async function measure(folder: string, csv: string, { name, memory }: { name: string; memory: number }): Promise<Told> {
  await mkdir(group);
  const pod = await mkdtemp(join(folder, "pod-"));
  const service = await startStore(join(pod, "store"), pod);
  try {
    await mkdir(join(pod, agentPaths.source), { recursive: true });
    await link(csv, join(pod, agentPaths.source, "data.csv"));
    const agent = [process.execPath, join(import.meta.dirname, "agent.ts"), service.url, pod, name];
    await writeFile(join(group, limit), `${memory * 2 ** 20}`);
    const confined = ["--mount", "sh", "-c", confine, "confine", ...agent];
    const { stdout } = await promisify(execFile)("unshare", confined, { maxBuffer: 1 << 26 });
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Told;
  } finally {
    await rmdir(group);
    await service.kill();
    await rm(pod, { recursive: true });
  }
}

export async function run(args: readonly string[], report: Report): Promise<boolean> {
  const options = {
    gigabytes: { type: "string", default: "10" },
    memory: { type: "string", default: "1024" },
    folder: { type: "string", default: tmpdir() },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const [gigabytes, memory] = [Number(values.gigabytes), Number(values.memory)];
  if (!(gigabytes > 0 && memory >= 256)) return false;
  const folder = await mkdtemp(join(values.folder, "lemnis-bench-"));
  try {
    const csv = join(folder, "data.csv");
    await withProgress(report.note, "the data", () => writeCsv(csv, Math.round((gigabytes * 1e9) / rowBytes)));
    const { size } = await stat(csv);
    for (const name of ["CSV with its profile", "CSV with its profile and two splits"]) {
      if (!snapshots[name]) throw new Error(`no snapshot is named ${name}`);
      const told = await withProgress(report.note, name, () => measure(folder, csv, { name, memory }));
      report.add({
        measure: `snapshot of ${name}, ${(size / 1e9).toFixed(1)} GB in a cgroup of ${memory} MiB`,
        result: `${told.seconds.toFixed(0)} s, ${(size / 1e6 / told.seconds).toFixed(0)} MB/s, ${told.rows} rows, ${told.megabytes.toFixed(0)} MB resident at most`,
        target: "ends well",
      });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return true;
}
