import { readdirSync, readFileSync } from "node:fs";
import { containerdSocket } from "../layout.ts";
import { waitUntil } from "../progress.ts";
import { parseStat } from "./daemon.ts";

export interface ProcessEntry {
  pid: number;
  parent: number;
  /** Arguments of its command line. */
  args: string[];
}

/** Kills every container of the cluster, with the shim that watches over it; works when containerd itself is dead. */
export async function killContainers(): Promise<void> {
  const failure = () => new Error("containers of the cluster do not end, not even by SIGKILL");
  const gone = async () => {
    const pids = containerPids(readProcesses(), containerdSocket);
    for (const pid of pids) kill(pid);
    return pids.length === 0;
  };
  await waitUntil(gone, { timeoutMs: 20_000, failure });
}

/** Shims that belong to the containerd of this socket, and everything below them: nothing else has either. */
export function containerPids(processes: readonly ProcessEntry[], socket: string): number[] {
  const isShim = ({ args }: ProcessEntry) =>
    args[0]?.includes("containerd-shim") === true && args[args.indexOf("-address") + 1] === socket;
  const found = processes.filter(isShim).map(({ pid }) => pid);
  for (const pid of found) {
    for (const child of processes) if (child.parent === pid) found.push(child.pid);
  }
  return found;
}

function readProcesses(): ProcessEntry[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const { parent, state } = parseStat(readFileSync(`/proc/${entry}/stat`, "utf8"));
      const args = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      return state === "Z" ? [] : [{ pid: Number(entry), parent, args }];
    } catch {
      return []; // it ended while we looked
    }
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}
