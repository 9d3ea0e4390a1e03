import { isInstalled, run } from "../cluster/command.ts";
import type { Log } from "../cluster/progress.ts";
import { binary } from "../cluster/tools.ts";

/** The cluster that the loop runs on, and how its programs are called. */
export interface Target {
  /** The program and the arguments that choose the cluster. */
  kubectl: readonly [string, ...string[]];
  helm: readonly [string, ...string[]];
  namespace: string;
  /** The image of images/sklearn, under the name that the cluster reads it by. */
  sklearnImage: string;
  log: Log;
}

type TargetOptions = Pick<Target, "namespace" | "sklearnImage" | "log">;

/** The local cluster of test/cluster, with programs that are built when they are not there yet. */
export async function localTarget(kubeconfig: string, options: TargetOptions): Promise<Target> {
  const { log } = options;
  const choice = ["--kubeconfig", kubeconfig] as const;
  return {
    ...options,
    kubectl: [await binary("kubectl", { log }), ...choice],
    helm: [await binary("helm", { log }), ...choice],
  };
}

/** A cluster that the user's kubeconfig knows, with the user's own kubectl and helm. */
export async function contextTarget(context: string, options: TargetOptions): Promise<Target> {
  for (const program of ["kubectl", "helm"]) {
    if (!(await isInstalled(program)))
      throw new Error(`--context uses your own kubectl and helm: ${program} is not there`);
  }
  return { ...options, kubectl: ["kubectl", "--context", context], helm: ["helm", "--kube-context", context] };
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
