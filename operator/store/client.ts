/** The store's client, for agents and the operator: typed, retried where that is safe, verified on this end too. */
import { createHash, randomUUID } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, type Dispatcher, request } from "undici";
import type { z } from "zod";
import { digestOf } from "../api/digest.ts";
import * as api from "./api.ts";
import { batched } from "./batched.ts";
import { hashed, writeContent } from "./body.ts";
import { bytesOf } from "./read-file.ts";

/** The store's refusal, or that it could not be reached (status 0). */
export class StoreError extends Error {
  readonly status: number;
  readonly code: string;
  /** True when the same request may succeed later. */
  readonly transient: boolean;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "StoreError";
    this.status = status;
    this.code = code;
    this.transient = status === 0 || status === 429 || status >= 500;
  }
}

interface ClientInput {
  url: string;
  /** Asked on every request: tokens in pods are rotated. */
  token: () => Promise<string>;
  /** Tries of a request that failed for a passing reason. Default 5, within about 8 seconds. */
  tries?: number;
}

type Method = "GET" | "PUT" | "POST" | "DELETE" | "HEAD";

export class StoreClient {
  readonly #url: string;
  readonly #token: () => Promise<string>;
  readonly #tries: number;
  readonly #agent = new Agent({ connections: 32, keepAliveTimeout: 30_000, connect: { timeout: 5_000 } });
  readonly #trainingJobs = batched((namespace, names) => {
    const query = new URLSearchParams(names.map((name): [string, string] => ["name", name]));
    return this.#json(api.trainingJobs, "GET", `namespaces/${namespace}/trainingjobs?${query}`);
  });

  constructor({ url, token, tries = 5 }: ClientInput) {
    this.#url = url.replace(/\/$/, "");
    this.#token = token;
    this.#tries = tries;
  }

  dataset(namespace: string, name: string) {
    return this.#json(api.dataset, "GET", `namespaces/${namespace}/datasets/${name}`);
  }
  /** There are thousands of them: those that are asked for at once are read by one request. */
  async trainingJob(namespace: string, name: string) {
    return (await this.#trainingJobs(namespace, name)) ?? { runs: [] };
  }
  model(namespace: string, name: string) {
    return this.#json(api.model, "GET", `namespaces/${namespace}/models/${name}`);
  }
  /** `version` is a number or a digest. */
  getDatasetVersion(namespace: string, name: string, version: string) {
    return this.#json(api.datasetVersionDetail, "GET", `namespaces/${namespace}/datasets/${name}/versions/${version}`);
  }
  /** `version` is a number or a digest. */
  getModelVersion(namespace: string, name: string, version: string) {
    return this.#json(api.modelVersionDetail, "GET", `namespaces/${namespace}/models/${name}/versions/${version}`);
  }
  registerDatasetVersion(namespace: string, name: string, input: api.DatasetVersionInput) {
    return this.#json(api.datasetVersion, "POST", `namespaces/${namespace}/datasets/${name}/versions`, input);
  }
  retainDatasetVersions(namespace: string, name: string, retain: number) {
    return this.write({ method: "PUT", path: `namespaces/${namespace}/datasets/${name}/retain`, body: { retain } });
  }
  putDatasetProgress(namespace: string, name: string, progress: api.Progress) {
    return this.write({ method: "PUT", path: `namespaces/${namespace}/datasets/${name}/progress`, body: progress });
  }
  putRun(namespace: string, run: { trainingJob: string; digest: string }, result: api.RunResult) {
    return this.#json(
      api.run,
      "PUT",
      `namespaces/${namespace}/trainingjobs/${run.trainingJob}/runs/${run.digest}`,
      result,
    );
  }
  registerImport(namespace: string, model: string, input: api.ModelImport) {
    return this.#json(api.modelVersion, "POST", `namespaces/${namespace}/models/${model}/versions`, input);
  }
  putEvaluation(
    namespace: string,
    { model, version, digest }: { model: string; version: number; digest: string },
    input: api.EvaluationInput,
  ) {
    const path = `namespaces/${namespace}/models/${model}/versions/${version}/evaluations/${digest}`;
    return this.#json(api.evaluation, "PUT", path, input);
  }

  /** A write whose answer nobody needs; `path` is relative to /v1/. */
  async write({ method, path, body }: { method: Method; path: string; body: unknown }): Promise<void> {
    await this.#retry(async () => {
      const answer = await this.#send(method, path, { body: JSON.stringify(body), type: "application/json" });
      await answer.body.dump();
    });
  }

  /**
   * Brings a file's bytes into the store. Those whose digest is known are sent unless they are there; others are read once,
   * and hashed on both ends.
   */
  async uploadFile(namespace: string, file: string, known?: api.Content): Promise<api.Content> {
    const path = `namespaces/${namespace}/artifacts`;
    return this.#retry(async () => {
      if (known && (await this.#has(`${path}/${known.digest}`))) return known;
      const { size, pieces } = await bytesOf(file);
      const hash = createHash("sha256");
      const body = known ? pieces : hashed(pieces, hash);
      const upload = { body, type: "application/octet-stream", length: known?.size ?? size };
      const answer = await (known
        ? this.#send("PUT", `${path}/${known.digest}`, upload)
        : this.#send("POST", path, upload));
      const stored = api.content.parse(await answer.body.json());
      if (!known && stored.digest !== digestOf(hash)) {
        throw new StoreError(502, "DigestMismatch", `the store received other bytes of ${file} than were sent`);
      }
      return stored;
    });
  }

  async #has(path: string): Promise<boolean> {
    try {
      await (await this.#send("HEAD", path)).body.dump();
      return true;
    } catch (error) {
      if (error instanceof StoreError && error.status === 404) return false;
      throw error;
    }
  }

  /** Writes an artifact's bytes to a file, which appears only when they are whole and right. */
  async download(namespace: string, digest: string, file: string): Promise<void> {
    const partial = `${file}.${randomUUID().slice(0, 8)}.partial`;
    await this.#retry(async () => {
      try {
        const answer = await this.#send("GET", `namespaces/${namespace}/artifacts/${digest}`);
        const length = Number(answer.headers["content-length"]);
        const received = await writeContent(answer.body, length, partial).catch((error: unknown) => {
          throw isLocal(error) ? error : new StoreError(0, "Interrupted", `the download of ${digest} was cut short`);
        });
        if (received.digest !== digest) {
          throw new StoreError(502, "DigestMismatch", `the store sent other bytes than ${digest}`);
        }
        renameSync(partial, file);
      } finally {
        rmSync(partial, { force: true });
      }
    });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #json<S extends z.ZodType>(schema: S, method: Method, path: string, input?: unknown): Promise<z.output<S>> {
    return this.#retry(async () => {
      const body = input === undefined ? {} : { body: JSON.stringify(input), type: "application/json" };
      const answer = await this.#send(method, path, body);
      return schema.parse(await answer.body.json());
    });
  }

  async #send(
    method: Method,
    path: string,
    { body, type, length }: { body?: string | AsyncIterable<Buffer>; type?: string; length?: number } = {},
  ): Promise<Dispatcher.ResponseData> {
    const headers: Record<string, string> = { authorization: `Bearer ${await this.#token()}` };
    if (type) headers["content-type"] = type;
    if (length !== undefined) headers["content-length"] = String(length);
    let answer: Dispatcher.ResponseData;
    try {
      answer = await request(`${this.#url}/v1/${path}`, {
        method,
        headers,
        // Of iterables its types know one kind alone; it asks for the next piece when the last is sent.
        body: (body ?? null) as string | Readable | null,
        dispatcher: this.#agent,
        headersTimeout: 60_000,
        bodyTimeout: 60_000,
      });
    } catch (error) {
      if (isLocal(error)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new StoreError(0, "Unreachable", `the store can't be reached: ${why}`);
    }
    if (answer.statusCode < 300) return answer;
    const text = await answer.body.text().catch(() => "");
    throw refusal(answer.statusCode, text);
  }

  /** A passing failure is tried again, each time after a longer pause. Every request of this client may be repeated. */
  async #retry<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StoreError && error.transient) || attempt >= this.#tries) throw error;
        await sleep(250 * 2 ** attempt * (0.5 + Math.random() / 2));
      }
    }
  }
}

/** A file that can't be read or written here is not the store's failure. */
function isLocal(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  return ["ENOENT", "EACCES", "ENOSPC", "EISDIR", "EROFS"].includes(code);
}

function refusal(status: number, text: string): StoreError {
  try {
    const { error } = api.storeError.parse(JSON.parse(text));
    return new StoreError(status, error.code, error.message);
  } catch {
    return new StoreError(status, "Unexpected", `the store answered ${status}: ${text.slice(0, 200)}`);
  }
}
