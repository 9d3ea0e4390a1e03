/** The chart as Helm renders it, and what tests ask of the objects in it. */
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { run } from "../cluster/command.ts";
import { binary } from "../cluster/tools.ts";

export const repository = join(import.meta.dirname, "../..");
export const chartFolder = join(repository, "charts/lemnis");

export interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}
export interface Container {
  name: string;
  image: string;
  args?: string[];
  env?: { name: string; value?: string }[];
  securityContext?: Record<string, unknown>;
  volumeMounts?: { name: string; mountPath: string }[];
}
export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  securityContext?: Record<string, unknown>;
  volumes?: { name: string; [source: string]: unknown }[];
  nodeSelector?: Record<string, string>;
}
/** A Kubernetes object; a test narrows `spec` by what it looks at. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: Record<string, unknown> & { template?: { metadata: Manifest["metadata"]; spec: PodSpec } };
  rules?: Rule[];
}

/** `helm template` with values as Helm's --set-json takes them; the text, or the error of a refused value. */
export async function renderText(values: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const sets = Object.entries(values).flatMap(([path, value]) => ["--set-json", `${path}=${JSON.stringify(value)}`]);
  const target = ["--namespace", "lemnis-system", "--kube-version", "1.31.0"];
  return run(await binary("helm"), ["template", "lemnis", chartFolder, ...target, ...sets]);
}

export function parseManifests(text: string): Manifest[] {
  return (loadAll(text) as (Manifest | null)[]).filter((manifest) => manifest !== null);
}

export async function render(values: Readonly<Record<string, unknown>> = {}): Promise<Manifest[]> {
  return parseManifests(await renderText(values));
}

/** The one object of this kind and name. */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found.length !== 1 || !found[0]) throw new Error(`the chart has ${found.length} objects ${kind}/${name}`);
  return found[0];
}

/** What the "restricted" Pod Security Standard, and a read-only root file system, find wrong with a pod. */
export function restrictedViolations({ spec }: { spec: PodSpec }): string[] {
  const violations: string[] = [];
  const pod = spec.securityContext ?? {};
  if (pod.runAsNonRoot !== true) violations.push("pod: runAsNonRoot");
  if (typeof pod.runAsUser !== "number" || pod.runAsUser === 0) violations.push("pod: runAsUser");
  if ((pod.seccompProfile as { type?: string } | undefined)?.type !== "RuntimeDefault")
    violations.push("pod: seccompProfile");
  for (const field of ["hostNetwork", "hostPID", "hostIPC"]) if (field in spec) violations.push(`pod: ${field}`);
  for (const volume of spec.volumes ?? []) if ("hostPath" in volume) violations.push(`volume ${volume.name}: hostPath`);
  for (const { name, securityContext = {} } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const { drop = [], add = [] } = (securityContext.capabilities ?? {}) as { drop?: string[]; add?: string[] };
    if (securityContext.allowPrivilegeEscalation !== false) violations.push(`${name}: allowPrivilegeEscalation`);
    if (securityContext.readOnlyRootFilesystem !== true) violations.push(`${name}: readOnlyRootFilesystem`);
    if (!drop.includes("ALL") || add.length > 0) violations.push(`${name}: capabilities`);
    if ("privileged" in securityContext) violations.push(`${name}: privileged`);
  }
  return violations;
}
