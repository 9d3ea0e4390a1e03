import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tail } from "../command.ts";
import { logDir, pidDir, stateDir } from "../layout.ts";
import { waitUntil } from "../progress.ts";

/** A process that outlives the command that starts it. */
export interface DaemonSpec {
  name: string;
  command: string;
  args: readonly string[];
  /** Content of the configuration files it reads, by path: written before it starts, and a change restarts it. */
  files?: Record<string, string>;
}

/** What names one process for ever: process ids are used again, after a reboot even with the same start time. */
interface DaemonRecord {
  pid: number;
  startTime: string;
  bootId: string;
  /** Digest of the DaemonSpec it runs. */
  spec: string;
}

export function specDigest(spec: DaemonSpec): string {
  return createHash("sha256").update(JSON.stringify(spec)).digest("hex");
}

/** State letter and start time (clock ticks since boot) from /proc/PID/stat. The name in brackets may hold anything, even brackets. */
export function parseStat(stat: string): { state: string; startTime: string; parent: number } {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", parent: Number(fields[1]), startTime: fields[19] ?? "" };
}

function readStat(pid: number) {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined; // no such process
  }
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function recordFile(name: string): string {
  return join(pidDir, `${name}.json`);
}

/** The record of a daemon that runs now; undefined when it was never started, has ended, or its pid is another program's by now. */
function runningRecord(name: string): DaemonRecord | undefined {
  let record: DaemonRecord;
  try {
    record = JSON.parse(readFileSync(recordFile(name), "utf8")) as DaemonRecord;
  } catch {
    return undefined; // no record, or one that a full disk cut short
  }
  const stat = readStat(record.pid);
  const isSame = stat?.startTime === record.startTime && stat.state !== "Z" && record.bootId === bootId();
  return isSame ? record : undefined;
}

/** Process id of a daemon that runs. */
export function daemonPid(name: string): number | undefined {
  return runningRecord(name)?.pid;
}

/** Whether the daemon runs with exactly this command line and configuration. */
export function runsAs(spec: DaemonSpec): boolean {
  return runningRecord(spec.name)?.spec === specDigest(spec);
}

export async function startDaemon(spec: DaemonSpec): Promise<void> {
  mkdirSync(logDir, { recursive: true });
  mkdirSync(pidDir, { recursive: true });
  for (const [path, content] of Object.entries(spec.files ?? {})) {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, content, { mode: 0o600 });
  }
  const log = openSync(join(logDir, `${spec.name}.log`), "a");
  const child = spawn(spec.command, spec.args, { detached: true, cwd: stateDir, stdio: ["ignore", log, log] });
  closeSync(log);
  await once(child, "spawn");
  child.unref();
  const pid = child.pid ?? 0;
  const startTime = readStat(pid)?.startTime ?? "";
  const record: DaemonRecord = { pid, startTime, bootId: bootId(), spec: specDigest(spec) };
  writeFileSync(recordFile(spec.name), JSON.stringify(record));
}

/** Ends the daemon if it runs: politely, after 15 s by force. */
export async function stopDaemon(name: string): Promise<void> {
  const pid = daemonPid(name);
  if (pid !== undefined) {
    process.kill(pid, "SIGTERM");
    const stopped = async () => daemonPid(name) === undefined;
    await waitUntil(stopped, { timeoutMs: 15_000, failure: () => new Error(name) }).catch(async () => {
      process.kill(pid, "SIGKILL");
      const failure = () => new Error(`${name} (process ${pid}) does not end, not even by SIGKILL`);
      await waitUntil(stopped, { timeoutMs: 10_000, failure });
    });
  }
  rmSync(recordFile(name), { force: true });
}

export function daemonLogTail(name: string): string {
  try {
    return tail(readFileSync(join(logDir, `${name}.log`), "utf8"), 15);
  } catch {
    return "(no log)";
  }
}
