/** What the API server refuses for good is the user's to know: a child that breaks a policy or a quota, or a name that is taken. */
import type { Condition } from "../api/v1alpha1/common.ts";
import { NameTakenError } from "../kube/apply.ts";
import { ApiError, classify } from "../kube/errors.ts";
import type { KubeObject } from "../kube/types.ts";
import type { Plan } from "../runtime/plan.ts";
import { conditionsOf, ownConditions, type Verdict } from "./verdict.ts";

interface Subject extends KubeObject {
  status?: { conditions?: readonly Condition[] | undefined } | undefined;
}
type Status = { conditions?: Condition[] | undefined };

/** A plan that only tells of the refusal; undefined when the error is none, or may pass by itself. */
export function refusalPlan(
  object: Subject,
  plan: Plan<Status>,
  { error, now }: { error: unknown; now: Date },
): Plan<Status> | undefined {
  const taken = error instanceof NameTakenError;
  if (!taken && !["forbidden", "invalid"].includes(classify(error))) return undefined;
  const reason = taken ? "NameTaken" : "ChildRefused";
  const message = messageOf(error as Error).slice(0, 1024);
  const planned = plan.status.conditions ?? [];
  // What serves goes on serving.
  const ready = planned.some(({ type, status }) => type === "Ready" && status === "True");
  const verdict: Verdict = { state: "stalled", reason, message, ready };
  const conditions = [...conditionsOf(object, { verdict }, now), ...ownConditions(planned)];
  return {
    apply: [],
    delete: [],
    status: { ...plan.status, conditions },
    events: [{ type: "Warning", reason, message }],
    outcome: { kind: "stalled" },
  };
}

/** The API server lists what is wrong in another order each time: by field, lest each try be news. */
function messageOf(error: Error): string {
  if (!(error instanceof ApiError) || error.causes.length === 0) return error.message;
  const causes = error.causes.map(({ field, message = "" }) =>
    field ? `${field}: ${brief(message)}` : brief(message),
  );
  const [what] = error.message.split(": ");
  return `${what}: ${error.status} ${[...new Set(causes)].sort().join("; ")}`;
}

/** A whole pod template may be quoted; what is wrong with it is said at the end. */
const brief = (text: string) => (text.length > 300 ? `${text.slice(0, 100)} … ${text.slice(-150)}` : text);
