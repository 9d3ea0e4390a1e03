import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { z } from "zod";
import type { Column } from "../../store/api.ts";
import type { Timing } from "../context.ts";
import { clip, errorText, permanent, transient } from "../failure.ts";
import { type InferRequest, type Output, parseOutputs, requestJson } from "./tensor.ts";

const metadata = z.object({
  inputs: z.array(z.object({ name: z.string(), datatype: z.string() })).optional(),
});

export interface ModelInput {
  name: string;
  datatype: string;
}

/** The runtime refused a prediction, or answered what can't be read. */
export interface Refusal {
  refused: string;
  /** What the runtime said: it may hold values of the rows that it was sent. */
  words?: string;
}

/** A runtime's model over the Open Inference Protocol v2 (HTTP). */
export class RuntimeClient {
  readonly #agent: Agent;
  readonly #base: URL;
  readonly #timing: Timing;

  constructor(endpoint: string, modelName: string, timing: Timing) {
    this.#base = new URL(`/v2/models/${encodeURIComponent(modelName)}`, endpoint);
    this.#timing = timing;
    this.#agent = new Agent({ headersTimeout: timing.prediction, bodyTimeout: timing.prediction, connections: 1 });
  }

  /** Waits until the model is loaded. */
  async ready(): Promise<void> {
    const deadline = Date.now() + this.#timing.runtimeReady;
    let last = "it did not answer";
    while (Date.now() < deadline) {
      try {
        const { status, text } = await this.#send("/ready");
        if (status === 200) return;
        last = `it answered HTTP ${status} ${lastLine(text)}`;
      } catch (error) {
        last = errorText(error);
      }
      await sleep(this.#timing.poll);
    }
    const seconds = Math.round(this.#timing.runtimeReady / 1000);
    throw transient("RuntimeUnavailable", `the runtime did not load the model within ${seconds} s: ${last.trim()}`);
  }

  /** The inputs that the model says it has; empty when it says none. */
  async inputs(): Promise<ModelInput[]> {
    const { status, text } = await this.#sendOrFail("");
    if (status !== 200) return [];
    return metadata.safeParse(parseJson(text)).data?.inputs ?? [];
  }

  /** Predicts `rows` rows. A runtime that went away is PredictionFailed; one that answers an error is a refusal. */
  async infer(request: InferRequest, rows: number): Promise<Output[] | Refusal> {
    const { status, text } = await this.#sendOrFail("/infer", requestJson(request));
    if (status !== 200) return { refused: `HTTP ${status}`, words: errorMessage(text) };
    const outputs = parseOutputs(parseJson(text), rows);
    return typeof outputs === "string" ? { refused: outputs } : outputs;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #sendOrFail(path: string, body?: string): Promise<{ status: number; text: string }> {
    try {
      return await this.#send(path, body);
    } catch (error) {
      throw transient("PredictionFailed", `the runtime went away during the evaluation: ${errorText(error)}`);
    }
  }

  async #send(path: string, body?: string): Promise<{ status: number; text: string }> {
    const response = await this.#agent.request({
      origin: this.#base.origin,
      path: this.#base.pathname + path,
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.statusCode, text: await response.body.text() };
  }
}

export function predictionFailed({ refused, words }: Refusal, columns: readonly Pick<Column, "sensitive">[]) {
  const isSensitive = columns.some(({ sensitive }) => sensitive);
  const told = isSensitive ? "; its words may hold values of sensitive columns" : `: ${words}`;
  return permanent("PredictionFailed", `the runtime refused the held-out data: ${refused}${words ? told : ""}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const errorBody = z.object({ error: z.string() });

/** The runtime's own words: its `error` member, or the last line of the traceback that MLServer answers with. */
function errorMessage(text: string): string {
  return clip(lastLine(errorBody.safeParse(parseJson(text)).data?.error ?? text), 500);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
