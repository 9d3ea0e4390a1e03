/** Carries out plans on values, as the runtime does on a cluster: what properties of planners are about. */
import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../../operator/kube/types.ts";
import type { Plan } from "../../operator/runtime/plan.ts";

export interface Children {
  /** Every child that lives, by kind and name. */
  objects: Map<string, KubeObject>;
}

const keyOf = ({ kind, metadata }: KubeObject) => `${kind}/${metadata.name}`;

/** Applies and deletes; a child that is there keeps its uid and what the cluster reported of it. */
export function carryOut({ objects }: Children, plan: Plan<object>): void {
  for (const { object } of plan.apply) {
    const before = objects.get(keyOf(object));
    const { metadata } = object;
    const uid = before?.metadata.uid ?? `uid-${keyOf(object)}`;
    const creationTimestamp = before?.metadata.creationTimestamp ?? "2026-03-01T10:06:30Z";
    const status = (before as { status?: object } | undefined)?.status;
    const kept = {
      ...object,
      metadata: { ...metadata, uid, creationTimestamp, generation: 1 },
      ...(status ? { status } : {}),
    };
    objects.set(keyOf(object), kept);
  }
  for (const { uid, name } of plan.delete) {
    for (const [key, object] of objects) {
      if (object.metadata.uid === uid && object.metadata.name === name) objects.delete(key);
    }
  }
}

/** What of a plan would change something: children that are not there or other than they are, deletions, records, a status. */
export function changesOf({ objects }: Children, plan: Plan<object>, status: object | undefined): string[] {
  const applied = plan.apply
    .filter(({ object }) => {
      const there = objects.get(keyOf(object)) as (KubeObject & { spec?: object }) | undefined;
      return !there || !isDeepStrictEqual(there.spec, (object as { spec?: object }).spec);
    })
    .map(({ object }) => `apply ${keyOf(object)}`);
  const deleted = plan.delete.map(({ name }) => `delete ${name}`);
  const records = (plan.records ?? []).map(({ method, path }) => `${method} ${path}`);
  const wanted = JSON.parse(JSON.stringify(plan.status));
  return [...applied, ...deleted, ...records, ...(isDeepStrictEqual(status, wanted) ? [] : ["status"])];
}
