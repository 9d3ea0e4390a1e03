/** What a reconcile concludes about its object, as kstatus conditions. */
import type { Condition } from "../api/v1alpha1/common.ts";
import { setCondition } from "../runtime/conditions.ts";

export interface Verdict {
  /** progressing: on its way. waiting: for something else. stalled: for an edit. suspended: as the user asked. */
  state: "ready" | "progressing" | "waiting" | "stalled" | "suspended";
  reason: string;
  message: string;
  /** Ready where the state alone does not say it: an old version that serves while a new one is made. */
  ready?: boolean;
}

export interface DomainCondition {
  type: string;
  status: boolean;
  reason: string;
  message: string;
}

interface Subject {
  metadata: { generation?: number };
  status?: { conditions?: readonly Condition[] | undefined } | undefined;
}

const general = ["Ready", "Reconciling", "Stalled"];

/** The kind's own conditions among these: what stays as it was while nothing new is known. */
export function ownConditions(conditions: readonly Condition[] = []): Condition[] {
  return conditions.filter(({ type }) => !general.includes(type));
}

/** Of one of more than 32,768 characters the API server would refuse the whole status; nobody reads so many. */
const messageLength = 4096;

/** Ready always; Reconciling and Stalled only while they hold, as kstatus asks; then the kind's own. */
export function conditionsOf(
  subject: Subject,
  { verdict, own = [] }: { verdict: Verdict; own?: readonly DomainCondition[] },
  now: Date,
): Condition[] {
  const { state, reason, message } = verdict;
  const ready = verdict.ready ?? state === "ready";
  const wanted: DomainCondition[] = [{ type: "Ready", status: ready, reason, message }];
  if (state === "progressing" || state === "waiting")
    wanted.push({ type: "Reconciling", status: true, reason, message });
  if (state === "stalled") wanted.push({ type: "Stalled", status: true, reason, message });
  const previous = subject.status?.conditions ?? [];
  return [...wanted, ...own].map((condition) => {
    const observedGeneration = subject.metadata.generation ?? 0;
    const input = {
      ...condition,
      message: clip(condition.message, messageLength),
      status: condition.status ? ("True" as const) : ("False" as const),
      observedGeneration,
    };
    return setCondition(previous, input, now);
  });
}

/** Shortens a text to so many characters. None is left cut in two, by whoever cut it: it would come back as another. */
export function clip(text: string, length: number): string {
  return (text.length > length ? `${text.slice(0, length - 3)}...` : text).toWellFormed();
}
