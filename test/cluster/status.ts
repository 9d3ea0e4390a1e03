import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { componentNames } from "./kubernetes/components.ts";
import { dnsAnswers, nodeReadiness } from "./kubernetes/health.ts";
import { kubeconfigPath, pkiDir } from "./layout.ts";
import { daemonPid } from "./os/daemon.ts";

export interface ClusterStatus {
  /** Absent: `up` has not run since the last `down`. Broken: `up` mends it. */
  state: "Running" | "Broken" | "Absent";
  /** Process id of each process that runs; undefined for one that does not. */
  processes: Record<string, number | undefined>;
  /** Why the node is not Ready, or that it is. */
  node: string;
  dns: boolean;
  kubeconfig: string;
}

export async function status(): Promise<ClusterStatus> {
  const processes = Object.fromEntries(componentNames.map((name) => [name, daemonPid(name)]));
  const tokens = join(pkiDir, "tokens.json");
  if (!existsSync(tokens))
    return { state: "Absent", processes, node: "no cluster", dns: false, kubeconfig: kubeconfigPath };
  const { admin } = JSON.parse(readFileSync(tokens, "utf8")) as { admin: string };
  const [{ ready, message }, dns] = await Promise.all([nodeReadiness(admin), dnsAnswers()]);
  const allRun = Object.values(processes).every((pid) => pid !== undefined);
  return {
    state: allRun && ready && dns ? "Running" : "Broken",
    processes,
    node: message,
    dns,
    kubeconfig: kubeconfigPath,
  };
}

/** The status as lines of text. */
export function statusText({ state, processes, node, dns, kubeconfig }: ClusterStatus): string {
  const rows = Object.entries(processes).map(
    ([name, pid]) => `  ${name.padEnd(24)} ${pid ? `process ${pid}` : "not running"}`,
  );
  const advice = {
    Running: "",
    Broken: " (npm run cluster -- up mends it)",
    Absent: " (npm run cluster -- up makes it)",
  };
  return [
    `${state}${advice[state]}`,
    ...rows,
    `  ${"node".padEnd(24)} ${node}`,
    `  ${"dns".padEnd(24)} ${dns ? "answers" : "does not answer"}`,
    `  ${"kubeconfig".padEnd(24)} ${kubeconfig}`,
  ].join("\n");
}
