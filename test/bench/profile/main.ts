/** Profiles of a large table, and snapshots of it, beside what else does the same work. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import type { Report } from "../report.ts";
import { type DataFormat, writeData } from "./data.ts";
import { copyByTools, copyFile, copyFiles, snapshot, snapshots, writeFiles } from "./snapshots.ts";

export const usage = `npm run bench -- profile [--rows 10000000] [--folder FOLDER]
  --rows    rows of the table of 20 columns (10000000)
  --folder  where the data goes; about 1.5 KB a row is needed (the system's temporary folder)`;

const execute = promisify(execFile);
const requirements = ["pandas==2.2.3", "pyarrow==18.1.0", "ydata-profiling==4.12.1", "setuptools==75.6.0"];
/** A rival that takes longer is given up. */
const patience = 3_600_000;

interface Measured {
  seconds: number;
  /** Seconds of CPU, which other work on the machine changes less. */
  processor: number;
  megabytes: number;
}

async function measure(command: string, args: readonly string[]): Promise<Measured | string> {
  try {
    const { stdout } = await execute(command, [...args], { timeout: patience, maxBuffer: 1 << 26 });
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Measured;
  } catch (error) {
    const { killed, message, stderr = "" } = error as Error & { killed?: boolean; stderr?: string };
    return killed ? "did not end, or ran out of memory" : (stderr.trim().split("\n").at(-1) ?? message);
  }
}

/** Python with what is compared, made anew for the run. */
async function makeVenv(folder: string): Promise<string> {
  const venv = join(folder, "venv");
  await execute("python3", ["-m", "venv", venv]);
  await execute(join(venv, "bin/pip"), ["install", "--quiet", ...requirements], { timeout: patience });
  return join(venv, "bin/python");
}

async function compareProfiles(report: Report, rows: number, { file, python }: { file: string; python: string }) {
  const format: DataFormat = file.endsWith(".csv") ? "csv" : "parquet";
  const ours = await measure(process.execPath, [join(import.meta.dirname, "ours.ts"), file]);
  if (typeof ours === "string") throw new Error(`the profile of ${format} failed: ${ours}`);
  for (const rival of ["pandas", "ydata-profiling"]) {
    const theirs = await measure(python, [join(import.meta.dirname, "rivals.py"), rival, file]);
    const told =
      typeof theirs === "string"
        ? `${rival}: ${theirs}`
        : `${rival} ${theirs.seconds.toFixed(1)} s, CPU ${theirs.processor.toFixed(1)} s, ${theirs.megabytes.toFixed(0)} MB`;
    report.add({
      measure: `profile of ${rows} rows × 20 columns of ${format}, and ${rival}`,
      result: `${ours.seconds.toFixed(1)} s (${(rows / ours.seconds / 1e6).toFixed(2)} million rows/s), CPU ${ours.processor.toFixed(1)} s, ${ours.megabytes.toFixed(0)} MB; ${told}`,
      ...(typeof theirs === "string" ? {} : { ratio: theirs.seconds / ours.seconds }),
      target: "10",
    });
  }
}

async function compareSnapshots(report: Report, file: string): Promise<void> {
  const megabytes = (await stat(file)).size / 1e6;
  for (const [name, task] of Object.entries(snapshots)) {
    const before = await copyFile(file);
    const ours = await snapshot(file, task);
    const plain = (before + (await copyFile(file))) / 2;
    const onDisk = await copyFile(file, { flush: true });
    const byTools = await copyByTools(file);
    const speed = (seconds: number) => `${(megabytes / seconds).toFixed(0)} MB/s`;
    report.add({
      measure: `snapshot of ${name}, and a plain copy with sha256`,
      result: `${speed(ours)} of ${speed(plain)}; of ${speed(onDisk)} until the copy is on the disk, as the version is: ${(onDisk / ours).toFixed(2)}; of ${speed(byTools)} by cp and sha256sum: ${(byTools / ours).toFixed(2)}`,
      ratio: plain / ours,
      target: "0.8",
    });
  }
}

async function compareManyFiles(report: Report, folder: string): Promise<void> {
  const [count, bytes] = [3000, 10_000];
  const files = await writeFiles(join(folder, "files"), { count, bytes });
  const plain = await copyFiles(files);
  const ours = await snapshot(files, { format: "Files" });
  const onDisk = await copyFiles(files, { flush: true });
  const speed = (seconds: number) => `${(count / seconds).toFixed(0)} files/s`;
  report.add({
    measure: `snapshot of ${count} files of ${bytes / 1000} KB, and a plain copy with sha256 of each until it is on the disk`,
    result: `${speed(ours)} of ${speed(onDisk)}; of ${speed(plain)} into the page cache`,
    ratio: onDisk / ours,
    target: "0.8",
  });
}

export async function run(args: readonly string[], report: Report): Promise<boolean> {
  const options = {
    rows: { type: "string", default: "10000000" },
    folder: { type: "string", default: tmpdir() },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const rows = Number(values.rows);
  if (!(rows >= 1)) return false;
  const folder = await mkdtemp(join(values.folder, "lemnis-bench-"));
  try {
    const [files, python] = [await writeData(folder, rows), await makeVenv(folder)];
    report.note("the data is written");
    await compareSnapshots(report, files.csv);
    await compareManyFiles(report, folder);
    for (const file of [files.parquet, files.csv]) await compareProfiles(report, rows, { file, python });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return true;
}
