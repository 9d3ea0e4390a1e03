/** What a kind's controller is, as data: main.ts starts them all alike. */
import type { KubeObject, Resource } from "../kube/types.ts";
import type { Plan } from "../runtime/plan.ts";
import type { Caches, World } from "./context.ts";

/** `namespace/name` */
export type Key = string;

/** For a change of an object in this cache: the keys of ours that it concerns. */
export type Watches = Partial<Record<keyof Caches, (object: KubeObject, caches: Caches) => readonly Key[]>>;

export interface Controller<T extends KubeObject> {
  name: string;
  resource: Resource;
  cache: "datasets" | "trainingJobs" | "models" | "inferenceServices";
  watches: Watches;
  /** Objects that are reconciled at the same time, where it is not as many as of other kinds. */
  workers?: number;
  /** observe → plan; the plan is carried out by the runtime, alike for all kinds. */
  plan: (world: World, object: T) => Promise<Plan<object>> | Plan<object>;
}

export function keyOf({ metadata }: KubeObject): Key {
  return `${metadata.namespace}/${metadata.name}`;
}

/** The key of the object that a child's label names. */
export function byLabel(label: string): (object: KubeObject) => readonly Key[] {
  return ({ metadata }) => {
    const name = metadata.labels?.[label];
    return name ? [`${metadata.namespace}/${name}`] : [];
  };
}

/** Indexes of our own kinds: who refers to an object. */
export const references = {
  dataset: "datasetRef",
  model: "modelRef",
  code: "configMapRef",
  git: "gitRepositoryRef",
  queue: "queueName",
} as const;
