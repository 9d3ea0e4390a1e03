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
import type { Database, Queries } from "./database.ts";
import { notFound } from "./errors.ts";

interface VersionRow {
  version: number;
  record: string;
  files: string;
  decision: string | null;
}
interface ModelKey {
  namespace: string;
  name: string;
}
interface VersionKey extends ModelKey {
  /** Its number or digest. */
  version: string;
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

  async read(namespace: string, name: string): Promise<ModelRecord> {
    // First, so that each points to a version that is read next.
    const aliases = await this.#database.all<{ alias: string; version: number }>(
      "SELECT alias, version FROM aliases WHERE namespace = ? AND model = ?",
      namespace,
      name,
    );
    const rows = await this.#database.all<VersionRow>(
      "SELECT version, record, decision FROM model_versions WHERE namespace = ? AND name = ? ORDER BY version DESC",
      namespace,
      name,
    );
    const known = Map.groupBy(await evaluations(this.#database, { namespace, name }), ({ version }) => version);
    const versions = rows.map((row) => compose(row, known.get(row.version)));
    return { versions, aliases: Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])) };
  }

  /** A version by its number or digest. */
  async detail(
    namespace: string,
    name: string,
    version: string,
  ): Promise<(ModelVersion & { files: FileEntry[] }) | undefined> {
    const row = await find(this.#database, { namespace, name, version });
    if (!row) return undefined;
    const known = await evaluations(this.#database, { namespace, name, version: row.version });
    return { ...compose(row, known), files: JSON.parse(row.files) as FileEntry[] };
  }

  /** A version that was not trained here. */
  import(namespace: string, name: string, input: NewVersion): Promise<{ version: ModelVersion; created: boolean }> {
    return this.#database.transaction((queries) => this.register(queries, namespace, name, input));
  }

  /** The same files are the same version, whoever made them. */
  async register(
    queries: Queries,
    namespace: string,
    name: string,
    input: NewVersion,
  ): Promise<{ version: ModelVersion; created: boolean }> {
    const { format, files, source, metrics } = input;
    const digest = manifestDigest(files);
    const existing = await find(queries, { namespace, name, version: digest });
    if (existing) {
      const known = await evaluations(queries, { namespace, name, version: existing.version });
      return { version: compose(existing, known), created: false };
    }
    const last = await queries.get<{ last_version: number }>(
      "SELECT last_version FROM models WHERE namespace = ? AND name = ?",
      namespace,
      name,
    );
    const version = (last?.last_version ?? 0) + 1;
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    const record: Stored = { version, digest, format, bytes, source, metrics, createdAt: new Date().toISOString() };
    await this.#blobs.refer(queries, namespace, `model/${name}/${version}`, files);
    await queries.run(
      "INSERT INTO model_versions VALUES (?, ?, ?, ?, ?, ?, NULL)",
      namespace,
      name,
      version,
      digest,
      JSON.stringify(record),
      JSON.stringify(files),
    );
    await queries.run(
      "INSERT INTO models VALUES (?, ?, ?) ON CONFLICT (namespace, name) DO UPDATE SET last_version = excluded.last_version",
      namespace,
      name,
      version,
    );
    return { version: { ...record, evaluations: [] }, created: true };
  }

  /** The first result of an evaluation holds. */
  putEvaluation(
    { namespace, name, version }: VersionKey,
    digest: string,
    input: EvaluationInput,
  ): Promise<{ evaluation: Evaluation; created: boolean }> {
    return this.#database.transaction(async (queries) => {
      const row = await required(queries, { namespace, name, version });
      const all = await evaluations(queries, { namespace, name, version: row.version });
      const known = all.find(({ evaluation }) => evaluation.digest === digest);
      if (known) return { evaluation: known.evaluation, created: false };
      const evaluation: Evaluation = { ...input, digest, createdAt: new Date().toISOString() };
      await queries.run(
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

  putDecision({ namespace, name, version }: VersionKey, decision: Decision): Promise<void> {
    return this.#database.transaction(async (queries) => {
      const row = await required(queries, { namespace, name, version });
      await queries.run(
        "UPDATE model_versions SET decision = ? WHERE namespace = ? AND name = ? AND version = ?",
        JSON.stringify(decision),
        namespace,
        name,
        row.version,
      );
    });
  }

  putAlias(
    { namespace, name, alias }: { namespace: string; name: string; alias: string },
    version: number,
  ): Promise<void> {
    return this.#database.transaction(async (queries) => {
      await required(queries, { namespace, name, version: String(version) });
      await queries.run(
        `INSERT INTO aliases VALUES (?, ?, ?, ?)
           ON CONFLICT (namespace, model, alias) DO UPDATE SET version = excluded.version`,
        namespace,
        name,
        alias,
        version,
      );
    });
  }
}

interface Known {
  version: number;
  evaluation: Evaluation;
}

function compose({ record, decision }: VersionRow, known: readonly Known[] = []): ModelVersion {
  return {
    ...(JSON.parse(record) as Stored),
    evaluations: known.map(({ evaluation }) => evaluation),
    ...(decision ? { decision: JSON.parse(decision) as Decision } : {}),
  };
}

/** Those of all versions or of one, the oldest first. */
async function evaluations(
  queries: Queries,
  { namespace, name, version }: ModelKey & { version?: number },
): Promise<Known[]> {
  const rows = await queries.all<{ version: number; record: string }>(
    "SELECT version, record FROM evaluations WHERE namespace = ? AND model = ? AND version = coalesce(?, version)",
    namespace,
    name,
    version ?? null,
  );
  return rows
    .map(({ version, record }) => ({ version, evaluation: JSON.parse(record) as Evaluation }))
    .sort((a, b) => a.evaluation.createdAt.localeCompare(b.evaluation.createdAt));
}

function find(queries: Queries, { namespace, name, version }: VersionKey): Promise<VersionRow | undefined> {
  return queries.get<VersionRow>(
    `SELECT version, record, files, decision FROM model_versions
     WHERE namespace = ? AND name = ? AND (digest = ? OR CAST(version AS TEXT) = ?)`,
    namespace,
    name,
    version,
    version,
  );
}

async function required(queries: Queries, model: VersionKey): Promise<VersionRow> {
  const row = await find(queries, model);
  if (!row) throw notFound(`version ${model.version} of model ${model.name}`);
  return row;
}
