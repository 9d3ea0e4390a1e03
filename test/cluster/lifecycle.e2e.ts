import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "./command.ts";
import { down } from "./down.ts";
import { kubectl } from "./kubernetes/kubectl.ts";
import { pauseImage } from "./kubernetes/node-config.ts";
import { runDir, stateDir } from "./layout.ts";
import type { Log } from "./progress.ts";
import { terminalLog } from "./progress.ts";
import { status } from "./status.ts";
import { up } from "./up.ts";

/**
 * Takes the cluster of this machine through its whole life: made, made again without a change, mended after each kill, ended with
 * nothing left behind. Run it by hand: node test/cluster/lifecycle.e2e.ts
 */
export async function checkLifecycle(log: Log): Promise<void> {
  await down({ log });
  const before = await traces();
  await up({ log });
  const made = await status();
  assert.equal(made.state, "Running");
  await runPod(log);

  log("check: up on a running cluster starts nothing");
  await up({ log });
  assert.deepEqual((await status()).processes, made.processes);

  for (const victims of [["kube-apiserver"], ["etcd"], ["kubelet", "containerd"], Object.keys(made.processes)]) {
    log(`check: up mends a cluster whose ${victims.join(", ")} was killed`);
    await mend(victims, log);
  }
  assert.equal(await kubectl(["get", "pod", podName, "-o", "jsonpath={.status.phase} {..restartCount}"]), "Running 0");

  log("check: down leaves nothing behind");
  await down({ log });
  assert.equal((await status()).state, "Absent");
  assert.deepEqual(await traces(), before);
}

const podName = "lifecycle";

/** A pod, so that mending has a container to spare and `down` one to end. */
async function runPod(log: Log): Promise<void> {
  log("running a pod");
  await kubectl(["run", podName, `--image=${pauseImage}`, "--restart=Never"]);
  await kubectl(["wait", "pod", podName, "--for=condition=Ready", "--timeout=60s"]);
}

async function mend(victims: readonly string[], log: Log): Promise<void> {
  const running = (await status()).processes;
  for (const victim of victims) process.kill(running[victim] ?? 0, "SIGKILL");
  assert.equal((await status()).state, "Broken");
  await up({ log });
  const mended = await status();
  assert.equal(mended.state, "Running");
  for (const [name, pid] of Object.entries(running)) {
    assert.equal(
      mended.processes[name] === pid,
      !victims.includes(name),
      `${name}: only what was killed is started anew`,
    );
  }
}

/** What a cluster could leave on a machine: processes, mounts, devices, firewall chains, cgroups. */
async function traces() {
  const processes = readdirSync("/proc").filter(
    (entry) => /^\d+$/.test(entry) && mentionsCluster(`/proc/${entry}/cmdline`),
  );
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const chains = (await run("iptables-save", [])).split("\n");
  return {
    processes: processes.length,
    mounts: mounts.filter((line) => line.includes(stateDir) || line.includes(runDir)),
    devices: readdirSync("/sys/class/net").filter((name) => /^lemnis|^veth/.test(name)),
    chains: chains.filter((line) => /^:(KUBE|CNI)-|10\.8[456]\./.test(line)),
    cgroups: readdirSync("/sys/fs/cgroup", { recursive: true }).filter((path) => String(path).includes("kubepods")),
  };
}

function mentionsCluster(file: string): boolean {
  try {
    const command = readFileSync(file, "utf8");
    return command.includes(stateDir) || command.includes(runDir);
  } catch {
    return false; // it ended while we looked
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await checkLifecycle(terminalLog());
