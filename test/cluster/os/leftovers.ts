import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { podBridge, runDir, stateDir } from "../layout.ts";

/**
 * Deletes what containerd, the kubelet and the CNI plugins keep in places that no option moves. Each of them may serve another
 * cluster on this machine too: only files that are recognizably ours go, and folders only when that leaves them empty.
 */
export function removeLeftovers(): void {
  removeShimSockets();
  removeWhere("/var/log/containers", (path) => readlinkSync(path).startsWith(`${stateDir}/`));
  const ownResults = (path: string) => readFileSync(path, "utf8").includes(runDir) || path.includes(`/${podBridge}-`);
  removeWhere("/var/lib/cni/results", ownResults);
  removeEmpty(["/var/lib/cni/results", "/var/lib/cni"]);
  rmSync("/var/lib/kubelet/device-plugins/kubelet.sock", { force: true });
  removeEmpty(["/var/lib/kubelet/device-plugins", "/var/lib/kubelet"]);
  for (const root of cgroupRoots()) removeCgroups(join(root, "kubepods"));
}

/** All containerds of a machine keep their shims' sockets in one folder. Those of killed shims are what nobody is bound to any more. */
function removeShimSockets(): void {
  const bound = readFileSync("/proc/net/unix", "utf8");
  removeWhere("/run/containerd/s", (path) => !bound.includes(path));
  removeEmpty(["/run/containerd"]);
}

function removeWhere(folder: string, isOurs: (path: string) => boolean): void {
  for (const entry of list(folder)) {
    const path = join(folder, entry);
    if (isOurs(path)) rmSync(path, { force: true });
  }
  removeEmpty([folder]);
}

function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders) if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

/** cgroup v2 has one tree, v1 one a controller. */
function cgroupRoots(): string[] {
  const base = "/sys/fs/cgroup";
  return [base, ...list(base).map((controller) => join(base, controller))];
}

/** The kernel refuses to remove a cgroup with a process in it, so another kubelet's pods are safe. */
function removeCgroups(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroups(join(path, entry.name));
  }
  try {
    rmdirSync(path);
  } catch {
    // In use.
  }
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
