import { run } from "../cluster/command.ts";
import type { Log } from "../cluster/progress.ts";
import { binary } from "../cluster/tools.ts";

/** The cluster that the loop runs on, and how its programs are called. */
export interface Target {
  /** The program and the arguments that choose the cluster. */
  kubectl: readonly [string, ...string[]];
  helm: readonly [string, ...string[]];
  namespace: string;
  log: Log;
}

interface TargetOptions {
  namespace: string;
  log: Log;
}

/** The local cluster of test/cluster, with programs that are built when they are not there yet. */
export async function localTarget(kubeconfig: string, { namespace, log }: TargetOptions): Promise<Target> {
  const choice = ["--kubeconfig", kubeconfig] as const;
  return {
    kubectl: [await binary("kubectl", { log }), ...choice],
    helm: [await binary("helm", { log }), ...choice],
    namespace,
    log,
  };
}

/** A cluster that the user's kubeconfig knows, with the user's own kubectl and helm. */
export function contextTarget(context: string, { namespace, log }: TargetOptions): Target {
  return { kubectl: ["kubectl", "--context", context], helm: ["helm", "--kube-context", context], namespace, log };
}

/** kubectl in the target's namespace; `input` goes to its standard input. */
export async function kubectl(target: Target, args: readonly string[], input = ""): Promise<string> {
  const [program, ...choice] = target.kubectl;
  return run(program, [...choice, "-n", target.namespace, ...args], { input });
}

export async function helm(target: Target, args: readonly string[]): Promise<string> {
  const [program, ...choice] = target.helm;
  return run(program, [...choice, ...args]);
}

export async function listObjects<T>(target: Target, kinds: string, selector = ""): Promise<T[]> {
  const args = ["get", kinds, "-o", "json", ...(selector ? ["-l", selector] : [])];
  return (JSON.parse(await kubectl(target, args)) as { items: T[] }).items;
}
