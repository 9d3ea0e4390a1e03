import {
  type Decision,
  type Evaluation,
  type EvaluationInput,
  type FileEntry,
  type ModelRecord,
  type ModelVersion,
  manifestDigest,
} from "./api.ts";
import type { Blobs } from "./blobs.ts";
import type { Database } from "./database.ts";
import { notFound } from "./errors.ts";

interface VersionRow {
  version: number;
  record: string;
  files: string;
  decision: string | null;
}
export interface NewVersion {
  format: string;
  files: FileEntry[];
  source: ModelVersion["source"];
  metrics: Record<string, number>;
}
type Stored = Omit<ModelVersion, "evaluations" | "decision">;

export class Models {
  readonly #database: Database;
  readonly #blobs: Blobs;

  constructor(database: Database, blobs: Blobs) {
    this.#database = database;
    this.#blobs = blobs;
  }

  read(namespace: string, name: string): ModelRecord {
    const versions = this.#database
      .all<VersionRow>(
        "SELECT version, record, decision FROM model_versions WHERE namespace = ? AND name = ? ORDER BY version DESC",
        namespace,
        name,
      )
      .map((row) => this.#compose(namespace, name, row));
    const aliases = this.#database.all<{ alias: string; version: number }>(
      "SELECT alias, version FROM aliases WHERE namespace = ? AND model = ?",
      namespace,
      name,
    );
    return { versions, aliases: Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])) };
  }

  /** A version by its number or digest. */
  detail(namespace: string, name: string, version: string): (ModelVersion & { files: FileEntry[] }) | undefined {
    const row = this.#row(namespace, name, version);
    return row && { ...this.#compose(namespace, name, row), files: JSON.parse(row.files) as FileEntry[] };
  }

  /** In a transaction. The same files are the same version, whoever made them. */
  register(namespace: string, name: string, input: NewVersion): { version: ModelVersion; created: boolean } {
    const { format, files, source, metrics } = input;
    const digest = manifestDigest(files);
    const existing = this.#row(namespace, name, digest);
    if (existing) return { version: this.#compose(namespace, name, existing), created: false };
    const last = this.#database.get<{ last_version: number }>(
      "SELECT last_version FROM models WHERE namespace = ? AND name = ?",
      namespace,
      name,
    );
    const version = (last?.last_version ?? 0) + 1;
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    const record: Stored = { version, digest, format, bytes, source, metrics, createdAt: new Date().toISOString() };
    this.#blobs.refer(namespace, `model/${name}/${version}`, files);
    this.#database.run(
      "INSERT INTO model_versions VALUES (?, ?, ?, ?, ?, ?, NULL)",
      namespace,
      name,
      version,
      digest,
      JSON.stringify(record),
      JSON.stringify(files),
    );
    this.#database.run(
      "INSERT INTO models VALUES (?, ?, ?) ON CONFLICT (namespace, name) DO UPDATE SET last_version = excluded.last_version",
      namespace,
      name,
      version,
    );
    return { version: { ...record, evaluations: [] }, created: true };
  }

  /** The first result of an evaluation holds. */
  putEvaluation(
    { namespace, name, version }: { namespace: string; name: string; version: string },
    digest: string,
    input: EvaluationInput,
  ): { evaluation: Evaluation; created: boolean } {
    return this.#database.transaction(() => {
      const row = this.#required(namespace, name, version);
      const known = this.#evaluations(namespace, name, row.version).find((candidate) => candidate.digest === digest);
      if (known) return { evaluation: known, created: false };
      const evaluation: Evaluation = { ...input, digest, createdAt: new Date().toISOString() };
      this.#database.run(
        "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?)",
        namespace,
        name,
        row.version,
        digest,
        input.dataset,
        input.datasetDigest,
        JSON.stringify(evaluation),
      );
      return { evaluation, created: true };
    });
  }

  putDecision(
    { namespace, name, version }: { namespace: string; name: string; version: string },
    decision: Decision,
  ): void {
    const row = this.#required(namespace, name, version);
    this.#database.run(
      "UPDATE model_versions SET decision = ? WHERE namespace = ? AND name = ? AND version = ?",
      JSON.stringify(decision),
      namespace,
      name,
      row.version,
    );
  }

  putAlias({ namespace, name, alias }: { namespace: string; name: string; alias: string }, version: number): void {
    this.#database.transaction(() => {
      this.#required(namespace, name, String(version));
      this.#database.run("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?, ?)", namespace, name, alias, version);
    });
  }

  #compose(namespace: string, name: string, { record, decision }: VersionRow): ModelVersion {
    const stored = JSON.parse(record) as Stored;
    return {
      ...stored,
      evaluations: this.#evaluations(namespace, name, stored.version),
      ...(decision ? { decision: JSON.parse(decision) as Decision } : {}),
    };
  }

  #evaluations(namespace: string, name: string, version: number): Evaluation[] {
    return this.#database
      .all<{ record: string }>(
        "SELECT record FROM evaluations WHERE namespace = ? AND model = ? AND version = ?",
        namespace,
        name,
        version,
      )
      .map(({ record }) => JSON.parse(record) as Evaluation)
      .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  #row(namespace: string, name: string, version: string): VersionRow | undefined {
    return this.#database.get<VersionRow>(
      `SELECT version, record, files, decision FROM model_versions
       WHERE namespace = ? AND name = ? AND (digest = ? OR CAST(version AS TEXT) = ?)`,
      namespace,
      name,
      version,
      version,
    );
  }

  #required(namespace: string, name: string, version: string): VersionRow {
    const row = this.#row(namespace, name, version);
    if (!row) throw notFound(`version ${version} of model ${name}`);
    return row;
  }
}
