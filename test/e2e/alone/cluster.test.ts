/** The local cluster's own life: made, made again without a change, mended after each kill, ended with nothing left behind. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, expect, inject, test } from "vitest";
import { run } from "../../cluster/command.ts";
import { down } from "../../cluster/down.ts";
import { kubectl } from "../../cluster/kubernetes/kubectl.ts";
import { pauseImage } from "../../cluster/kubernetes/node-config.ts";
import { runDir, stateDir } from "../../cluster/layout.ts";
import { status } from "../../cluster/status.ts";
import { up } from "../../cluster/up.ts";
import { prepareLemnis } from "../setup.ts";

afterAll(async () => {
  expect(await prepareLemnis()).toEqual(inject("images"));
}, 600_000);

test("up on a running cluster starts nothing", async () => {
  const { state, processes } = await status();
  expect(state).toBe("Running");
  await up();
  expect((await status()).processes).toEqual(processes);
});

test("up mends what was killed, starts nothing else, and spares the containers", async () => {
  await kubectl(["delete", "pod", "spared", "--ignore-not-found", "--now"]); // of a run that was killed
  await kubectl(["run", "spared", `--image=${pauseImage}`, "--restart=Never"]);
  await kubectl(["wait", "pod", "spared", "--for=condition=Ready", "--timeout=60s"]);
  const all = Object.keys((await status()).processes);
  for (const victims of [["kube-apiserver"], ["etcd"], ["kubelet", "containerd"], all]) {
    const { processes } = await status();
    for (const victim of victims) process.kill(processes[victim] ?? 0, "SIGKILL");
    // A process that is killed is there for a moment more.
    await expect.poll(async () => (await status()).state, { timeout: 10_000 }).toBe("Broken");
    await up();
    const mended = await status();
    expect(mended.state).toBe("Running");
    const renewed = all.filter((name) => mended.processes[name] !== processes[name]);
    expect(renewed.sort()).toEqual([...victims].sort());
  }
  const spared = await kubectl(["get", "pod", "spared", "-o", "jsonpath={.status.phase} {..restartCount}"]);
  expect(spared).toBe("Running 0");
});

test("down leaves nothing behind, and down again does no harm", async () => {
  await down();
  expect((await status()).state).toBe("Absent");
  expect(await traces()).toEqual({ processes: [], mounts: [], devices: [], chains: [], cgroups: [] });
  await down();
});

/** What a cluster could leave on a machine: processes, mounts, devices, firewall chains, cgroups. */
async function traces() {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const chains = (await run("iptables-save", [])).split("\n");
  return {
    processes: readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && isOfCluster(`/proc/${entry}/cmdline`)),
    mounts: mounts.filter((line) => line.includes(stateDir) || line.includes(runDir)),
    devices: readdirSync("/sys/class/net").filter((name) => /^lemnis/.test(name)),
    chains: chains.filter((line) => /10\.8[456]\./.test(line)),
    cgroups: readdirSync("/sys/fs/cgroup", { recursive: true }).filter((path) => String(path).includes("kubepods")),
  };
}

function isOfCluster(file: string): boolean {
  try {
    const command = readFileSync(file, "utf8");
    return command.includes(stateDir) || command.includes(runDir);
  } catch {
    return false; // it ended while we looked
  }
}
