/** A decision as a value: what a planner returns, and `execute` carries out. */
import type { Child } from "../kube/apply.ts";
import type { Resource } from "../kube/types.ts";

export type Outcome =
  | { kind: "settled" }
  /** Something else must happen first; look again after this time even if no watch tells of it. */
  | { kind: "waiting"; requeueAfterMs?: number }
  /** Only the user can mend it. */
  | { kind: "stalled" };

export interface PlannedEvent {
  type: "Normal" | "Warning";
  reason: string;
  message: string;
}

/** A child to delete, if it is still this very one. */
export interface ChildRef {
  resource: Resource;
  namespace: string;
  name: string;
  uid: string;
}

/** A write to the store; `path` is relative to its /v1/. */
export interface StoreRecord {
  method: "PUT" | "POST" | "DELETE";
  path: string;
  body: unknown;
}

export interface Plan<S extends object> {
  records?: readonly StoreRecord[];
  apply: readonly Child[];
  delete: readonly ChildRef[];
  status: S;
  events: readonly PlannedEvent[];
  outcome: Outcome;
}
