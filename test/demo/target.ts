import { run } from "../cluster/command.ts";
import type { Log } from "../cluster/progress.ts";
import { binary } from "../cluster/tools.ts";

/** The cluster that the loop runs on, and how its programs are called. */
export interface Target {
  /** Arguments that choose the cluster: --kubeconfig PATH, or --context NAME. */
  kubectl: readonly string[];
  helm: readonly string[];
  namespace: string;
  log: Log;
}

/** The local cluster of test/cluster. */
export function localTarget(kubeconfig: string, { namespace, log }: { namespace: string; log: Log }): Target {
  return { kubectl: ["--kubeconfig", kubeconfig], helm: ["--kubeconfig", kubeconfig], namespace, log };
}

/** A cluster that the user's kubeconfig knows. */
export function contextTarget(context: string, { namespace, log }: { namespace: string; log: Log }): Target {
  return { kubectl: ["--context", context], helm: ["--kube-context", context], namespace, log };
}

/** kubectl in the target's namespace; `input` goes to its standard input. */
export async function kubectl(target: Target, args: readonly string[], input = ""): Promise<string> {
  return run(await binary("kubectl"), [...target.kubectl, "-n", target.namespace, ...args], { input });
}

export async function helm(target: Target, args: readonly string[]): Promise<string> {
  return run(await binary("helm"), [...target.helm, ...args]);
}

/** An object as JSON; undefined when there is none. */
export async function getObject<T>(target: Target, kind: string, name: string): Promise<T | undefined> {
  const text = await kubectl(target, ["get", kind, name, "-o", "json", "--ignore-not-found"]);
  return text ? (JSON.parse(text) as T) : undefined;
}

export async function listObjects<T>(target: Target, kinds: string, selector = ""): Promise<T[]> {
  const args = ["get", kinds, "-o", "json", ...(selector ? ["-l", selector] : [])];
  return (JSON.parse(await kubectl(target, args)) as { items: T[] }).items;
}
