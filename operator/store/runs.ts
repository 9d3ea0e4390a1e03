import { isDeepStrictEqual } from "node:util";
import type { Run, RunResult } from "./api.ts";
import type { Database, Queries } from "./database.ts";
import { conflict } from "./errors.ts";
import type { Models } from "./models.ts";

interface RunKey {
  namespace: string;
  job: string;
  digest: string;
}

export class Runs {
  readonly #database: Database;
  readonly #models: Models;

  constructor(database: Database, models: Models) {
    this.#database = database;
    this.#models = models;
  }

  /** Newest first. */
  async read(namespace: string, job: string): Promise<Run[]> {
    const rows = await this.#database.all<{ record: string }>(
      "SELECT record FROM runs WHERE namespace = ? AND job = ? ORDER BY finished_at DESC, digest",
      namespace,
      job,
    );
    return rows.map(({ record }) => JSON.parse(record) as Run);
  }

  /** The run and the model that it made, both or neither. A run that succeeded is final; a failed one may succeed yet. */
  put({ namespace, job, digest }: RunKey, { model, ...result }: RunResult): Promise<{ run: Run; created: boolean }> {
    return this.#database.transaction(async (queries) => {
      const existing = await get(queries, { namespace, job, digest });
      if (existing?.phase === "Succeeded") {
        // A publisher that was killed after its write comes back with other times, and nothing else.
        if (result.phase !== "Succeeded" || !isDeepStrictEqual(existing.inputs, result.inputs)) {
          throw conflict(`run ${digest} has succeeded already and is final`);
        }
        return { run: existing, created: false };
      }
      const made = model
        ? await this.#models.register(queries, namespace, model.name, {
            format: model.format,
            files: model.files,
            source: { trainingJob: job, run: digest },
            metrics: result.metrics ?? {},
          })
        : undefined;
      const run: Run = {
        ...result,
        digest,
        ...(model && made
          ? { model: { name: model.name, version: made.version.version, digest: made.version.digest } }
          : {}),
      };
      const record = JSON.stringify(run);
      await queries.run(
        `INSERT INTO runs VALUES (?, ?, ?, ?, ?) ON CONFLICT (namespace, job, digest) DO UPDATE
           SET finished_at = excluded.finished_at, record = excluded.record`,
        namespace,
        job,
        digest,
        run.finishedAt,
        record,
      );
      for (const input of run.inputs) {
        const sql = "INSERT INTO run_inputs VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        await queries.run(sql, namespace, job, digest, input.dataset, input.digest);
      }
      return { run, created: existing === undefined };
    });
  }
}

async function get(queries: Queries, { namespace, job, digest }: RunKey): Promise<Run | undefined> {
  const sql = "SELECT record FROM runs WHERE namespace = ? AND job = ? AND digest = ?";
  const row = await queries.get<{ record: string }>(sql, namespace, job, digest);
  return row && (JSON.parse(row.record) as Run);
}
