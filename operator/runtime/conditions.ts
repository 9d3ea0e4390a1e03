/** Conditions by the Kubernetes conventions. */
export interface ConditionInput {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  observedGeneration: number;
}
export interface ConditionState extends ConditionInput {
  lastTransitionTime: string;
}
type Known = Omit<ConditionState, "observedGeneration"> & { observedGeneration?: number | undefined };

/** The condition as it is now; it keeps its transition time while its status stays. Times have whole seconds. */
export function setCondition(previous: readonly Known[], input: ConditionInput, now: Date): ConditionState {
  const before = previous.find(({ type }) => type === input.type);
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const lastTransitionTime = before?.status === input.status ? before.lastTransitionTime : time;
  const { type, status, reason, message, observedGeneration } = input;
  return { type, status, reason, message, observedGeneration, lastTransitionTime };
}
