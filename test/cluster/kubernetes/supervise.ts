import { daemonLogTail, daemonPid, runsAs, startDaemon, stopDaemon } from "../os/daemon.ts";
import { requireFreePort } from "../os/host.ts";
import { type Log, waitUntil } from "../progress.ts";
import type { Component } from "./components.ts";

/** Has each of these processes run and answer; they may start in any order. Returns the names of those it had to start. */
export async function runTogether(wave: readonly Component[], log: Log): Promise<string[]> {
  const started = await Promise.all(
    wave.map(async (component) => (await ensureRunning(component, log)) && component.name),
  );
  return started.filter((name) => name !== false);
}

/** Leaves a process alone that runs as it should and answers within 10 s; starts any other anew. Returns whether it did. */
async function ensureRunning(component: Component, log: Log): Promise<boolean> {
  const { name } = component;
  if (runsAs(component) && (await answersWithin(component, 10_000))) return false;
  const hung = daemonPid(name) !== undefined;
  log(hung ? `restarting ${name}: it does not answer, or its configuration has changed` : `starting ${name}`);
  await stopDaemon(name);
  for (const place of component.listens) await requireFreePort(name, place);
  await startDaemon(component);
  if (await answersWithin(component, 90_000)) return true;
  const what = daemonPid(name) === undefined ? "ended at once" : "does not answer after 90 s";
  throw new Error(`${name} ${what}; its log ends:\n${daemonLogTail(name)}`);
}

async function answersWithin(component: Component, timeoutMs: number): Promise<boolean> {
  const settled = async () => daemonPid(component.name) === undefined || component.isReady();
  const answered = waitUntil(settled, { timeoutMs, failure: () => new Error(component.name) });
  await answered.catch(() => {});
  return daemonPid(component.name) !== undefined && (await component.isReady());
}
