/** Which container trains or serves a model: the manifest's own, or a runtime's. */
import type { Container, ObjectMeta } from "../api/v1alpha1/common.ts";
import type { Verdict } from "./verdict.ts";

interface Wish<T> {
  template?: T | undefined;
  runtimeRef?: { name: string } | undefined;
  /** The model's format, where it is known. */
  format?: string | undefined;
}
interface Runtime<T> {
  kind: string;
  metadata: ObjectMeta;
  spec: T & { formats: readonly { name: string }[] };
}

/** The manifest's template, the runtime that it names, or the first by name that lists the format. */
export function resolveTemplate<T extends object>(
  { template, runtimeRef, format }: Wish<T>,
  runtimes: readonly Runtime<T>[],
  kind: "ServingRuntime" | "TrainingRuntime",
): T | Verdict {
  if (template) return template;
  const byName = [...runtimes].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const runtime = runtimeRef
    ? byName.find(({ metadata }) => metadata.name === runtimeRef.name)
    : byName.find(({ spec }) => spec.formats.some(({ name }) => name === format));
  if (runtime) {
    const { formats: _, ...rest } = runtime.spec;
    return rest as unknown as T;
  }
  const what = runtimeRef ? `${kind} ${runtimeRef.name} does not exist` : `no ${kind} lists the format ${format}`;
  const known = byName.map(({ metadata }) => metadata.name).join(", ") || "none";
  return { state: "waiting", reason: "RuntimeNotFound", message: `${what}; the cluster has: ${known}` };
}

/** What of a container decides over what it does, for digests: not how its image is pulled. */
export function essence({ imagePullPolicy: _, ...container }: Container): Container {
  return container;
}

export function isVerdict(value: object): value is Verdict {
  return "state" in value && "reason" in value;
}
