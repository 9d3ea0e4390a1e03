import { rmSync } from "node:fs";
import { join } from "node:path";
import { tryRun } from "./command.ts";
import { buildRunDir, imageLock } from "./images/buildah.ts";
import { componentNames } from "./kubernetes/components.ts";
import { cacheDir, clusterLock, runDir, stateDir } from "./layout.ts";
import { killContainers } from "./os/containers.ts";
import { daemonPid, stopDaemon } from "./os/daemon.ts";
import { requireRoot } from "./os/host.ts";
import { removeLeftovers } from "./os/leftovers.ts";
import { withLock } from "./os/lock.ts";
import { hasMounts, unmountUnder } from "./os/mounts.ts";
import { removeNetwork } from "./os/network.ts";
import { type Log, type LogOptions, silent } from "./progress.ts";

/** Ends the local cluster, whatever of it is left, and deletes all it made but the cache. */
export async function down({ log = silent }: LogOptions = {}): Promise<void> {
  requireRoot();
  await withLock(
    clusterLock,
    () => downLocked(log),
    () => log("waiting for another up or down to finish"),
  );
}

async function downLocked(log: Log): Promise<void> {
  for (const name of componentNames) {
    if (daemonPid(name) !== undefined) log(`ending ${name}`);
    // Before its control plane goes, so that nothing starts a container anew.
    if (name === "containerd") await killContainers();
    await stopDaemon(name);
  }
  log("removing mounts, bridges, firewall rules and cgroups");
  await unmountUnder([stateDir, runDir]);
  await removeNetwork();
  removeLeftovers();
  await removeBuildMounts();
  for (const folder of [runDir, stateDir]) rmSync(folder, { recursive: true, force: true });
  log(`the cluster is gone; the cache stays in ${cacheDir()} (delete it to get the space back)`);
}

/** buildah leaves its storage mounted on itself. Someone who builds by hand right now keeps it. */
async function removeBuildMounts(): Promise<void> {
  await withLock(imageLock(), async () => {
    await tryRun("umount", [join(cacheDir(), "buildah", "overlay")]);
    if (!hasMounts(join(cacheDir(), "buildah"))) rmSync(buildRunDir, { recursive: true, force: true });
  });
}
