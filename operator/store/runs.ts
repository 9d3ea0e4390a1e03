import { isDeepStrictEqual } from "node:util";
import type { Run, RunResult } from "./api.ts";
import type { Database } from "./database.ts";
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
  read(namespace: string, job: string): Run[] {
    return this.#database
      .all<{ record: string }>(
        "SELECT record FROM runs WHERE namespace = ? AND job = ? ORDER BY finished_at DESC, digest",
        namespace,
        job,
      )
      .map(({ record }) => JSON.parse(record) as Run);
  }

  /** The run and the model that it made, both or neither. A run that succeeded is final; a failed one may succeed yet. */
  put({ namespace, job, digest }: RunKey, { model, ...result }: RunResult): { run: Run; created: boolean } {
    return this.#database.transaction(() => {
      const existing = this.#get({ namespace, job, digest });
      if (existing?.phase === "Succeeded") {
        // A publisher that was killed after its write comes back with other times, and nothing else.
        if (result.phase !== "Succeeded" || !isDeepStrictEqual(existing.inputs, result.inputs)) {
          throw conflict(`run ${digest} has succeeded already and is final`);
        }
        return { run: existing, created: false };
      }
      const made = model
        ? this.#models.register(namespace, model.name, {
            format: model.format,
            files: model.files,
            source: { trainingJob: job, run: digest },
            metrics: result.metrics ?? {},
          }).version
        : undefined;
      const run: Run = {
        ...result,
        digest,
        ...(model && made ? { model: { name: model.name, version: made.version, digest: made.digest } } : {}),
      };
      const record = JSON.stringify(run);
      this.#database.run(
        "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)",
        namespace,
        job,
        digest,
        run.finishedAt,
        record,
      );
      for (const input of run.inputs) {
        const sql = "INSERT OR IGNORE INTO run_inputs VALUES (?, ?, ?, ?, ?)";
        this.#database.run(sql, namespace, job, digest, input.dataset, input.digest);
      }
      return { run, created: existing === undefined };
    });
  }

  #get({ namespace, job, digest }: RunKey): Run | undefined {
    const sql = "SELECT record FROM runs WHERE namespace = ? AND job = ? AND digest = ?";
    const row = this.#database.get<{ record: string }>(sql, namespace, job, digest);
    return row && (JSON.parse(row.record) as Run);
  }
}
