import { setTimeout as sleep } from "node:timers/promises";
import type { Condition } from "../../api/v1alpha1/common.ts";
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import { formatNumber } from "../../profile/format.ts";
import { harmless } from "../../profile/terminal/text.ts";
import type { Command } from "../arguments.ts";
import type { Cluster } from "../cluster.ts";
import { UserError } from "../failure.ts";
import type { Terminal } from "../terminal.ts";

type Refresh = Extract<Command, { command: "refresh" }>;
const pollMs = 1000;
/** An operator that has not begun by then found nothing to begin: the Dataset was stalled before, and is still. */
const answerMs = 15_000;

export async function refresh(cluster: Cluster, { name, wait, timeoutMs }: Refresh, terminal: Terminal) {
  const before = await cluster.dataset(name);
  await cluster.annotate(before, { "lemnis.dev/refresh": new Date().toISOString() });
  terminal.tell(`Dataset "${name}" looks at its source again`);
  if (!wait) return;
  const started = performance.now();
  let told = "";
  for (;;) {
    await sleep(pollMs);
    const dataset = await cluster.dataset(name);
    const passedMs = performance.now() - started;
    const state = lookState(before, dataset, passedMs);
    if (state.ended === "Failed") throw new UserError(state.message);
    if (state.message !== told) terminal.tell(harmless(state.message));
    told = state.message;
    if (state.ended) return;
    if (passedMs > timeoutMs) throw new UserError(`the look has not ended within the timeout: ${state.message}`);
  }
}

interface LookState {
  ended?: "Succeeded" | "Failed";
  message: string;
}

/** How the look stands that was asked for when the Dataset was as `before`. A failure that is tried again has not ended. */
export function lookState(before: Dataset, { status }: Dataset, passedMs: number): LookState {
  const stalled = find(status, "Stalled");
  if (status?.look !== undefined && status.look !== before.status?.look) {
    const { version = 0, rows = 0 } = status;
    const isNew = version !== before.status?.version;
    return {
      ended: "Succeeded",
      message: `version ${version} with ${formatNumber(rows)} rows is ${isNew ? "current" : "current still"}`,
    };
  }
  const isOld = JSON.stringify(stalled) === JSON.stringify(find(before.status, "Stalled"));
  if (stalled && (!isOld || passedMs > answerMs))
    return { ended: "Failed", message: `${stalled.reason}: ${stalled.message}` };
  const ready = find(status, "Reconciling") ?? find(status, "Ready");
  return { message: status?.progress ?? ready?.message ?? "waiting for the operator" };
}

function find(status: Dataset["status"], type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type && condition.status !== "False");
}
