import type { Condition } from "../api/v1alpha1/common.ts";
import { jobs } from "../kube/resources.ts";
import type { ChildRef, Outcome, Plan } from "../runtime/plan.ts";
import { StoreError } from "../store/client.ts";
import type { Job } from "./children/types.ts";
import { conditionsOf, ownConditions, type Verdict } from "./verdict.ts";

/** How soon to ask a store that was away. */
export const storeRetryMs = 10_000;

/** When to look again: never for what only an edit can mend, else at the earliest of the given times. */
export function outcomeOf(verdict: Verdict, times: readonly (Date | undefined)[], now: Date): Outcome {
  const due = times.filter((time) => time !== undefined).map((time) => time.getTime() - now.getTime());
  // A timer that fires a little early would only find that it is not yet time.
  if (due.length > 0) return { kind: "waiting", requeueAfterMs: Math.max(0, Math.min(...due)) + 50 };
  if (verdict.state === "stalled") return { kind: "stalled" };
  return { kind: verdict.state === "progressing" || verdict.state === "waiting" ? "waiting" : "settled" };
}

interface Subject<S> {
  metadata: { generation?: number };
  status?: S | undefined;
}
interface HasConditions {
  conditions?: Condition[] | undefined;
  observedGeneration?: number | undefined;
}

/** The store is away: nothing is decided, the status says so, and the rest of it stays. */
export function delayedPlan<S extends HasConditions>(subject: Subject<S>, message: string, now: Date): Plan<S> {
  const ready = subject.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  const verdict: Verdict = { state: "waiting", reason: "StoreUnavailable", message, ready };
  const conditions = [...conditionsOf(subject, { verdict }, now), ...ownConditions(subject.status?.conditions)];
  const status = { ...subject.status, conditions } as S;
  return { apply: [], delete: [], status, events: [], outcome: { kind: "waiting", requeueAfterMs: storeRetryMs } };
}

/** The same, when it is away as a decision is to be written down; undefined when the error is another. */
export function delayedBy(error: unknown, subject: Subject<HasConditions>, now: Date): Plan<HasConditions> | undefined {
  return error instanceof StoreError && error.transient ? delayedPlan(subject, error.message, now) : undefined;
}

/** A plan to delete this Job, if it is still the one that was seen. */
export function deletion(job: Job): ChildRef {
  const { namespace = "", name, uid = "" } = job.metadata;
  return { resource: jobs, namespace, name, uid };
}
