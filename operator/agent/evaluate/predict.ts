import { performance } from "node:perf_hooks";
import { predictionFailed, type RuntimeClient } from "./client.ts";
import type { Encoder } from "./features.ts";
import type { HeldOut } from "./held-out.ts";
import type { Output } from "./tensor.ts";

const batchRows = 64;
const warmUps = 5;
const latencyRequests = 200;
/** Milliseconds. */
const latencyBudget = 60_000;

export interface Predictor {
  client: RuntimeClient;
  encode: Encoder;
  /** Outputs to ask for; absent: the model's own choice. */
  outputs?: readonly string[] | undefined;
}

/** A predictor that asks for probabilities too where the model has them: it is asked once, with the first row. */
export async function askProbabilities({ client, encode }: Predictor, heldOut: HeldOut): Promise<Predictor> {
  const outputs = ["predict", "predict_proba"];
  const answer = await client.infer({ ...encode(await heldOut.read(0, 1)), outputs }, 1);
  return "refused" in answer ? { client, encode } : { client, encode, outputs };
}

/** The answers for all held-out rows, batch by batch and in their order. */
export async function* predictAll(
  { client, encode, outputs }: Predictor,
  heldOut: HeldOut,
): AsyncGenerator<{ rows: Rows; answer: Output[] }> {
  for (let start = 0; start < heldOut.rows; start += batchRows) {
    const rows = await heldOut.read(start, batchRows);
    const answer = await client.infer({ ...encode(rows), outputs }, rows.length);
    if ("refused" in answer) throw predictionFailed(answer, heldOut.columns);
    yield { rows, answer };
  }
}

type Rows = Awaited<ReturnType<HeldOut["read"]>>;

/**
 * How long single-row predictions take, one after the other, in milliseconds; the first few do not count. Few held-out rows
 * are sent several times, and a slow model less often.
 */
export async function measureLatency({ client, encode, outputs }: Predictor, heldOut: HeldOut): Promise<number[]> {
  const rows = await heldOut.read(0, latencyRequests);
  const requests = rows.map((row) => ({ ...encode([row]), outputs }));
  const times: number[] = [];
  const deadline = performance.now() + latencyBudget;
  for (let sent = 0; sent < warmUps + latencyRequests; sent++) {
    const request = requests[sent % requests.length];
    const start = performance.now();
    if (!request || (times.length > 0 && start > deadline)) break;
    const answer = await client.infer(request, 1);
    if ("refused" in answer) throw predictionFailed(answer, heldOut.columns);
    if (sent >= warmUps) times.push(performance.now() - start);
  }
  return times;
}
