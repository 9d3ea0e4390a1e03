/** What the store answers. */
import type { DatasetRecord, Decision, Evaluation, ModelRecord, ModelVersion, Run } from "../../operator/store/api.ts";
import { digestOf } from "./kinds.ts";

const createdAt = "2026-03-01T10:06:40.000Z";

export function datasetRecord(count: number, current = count): DatasetRecord {
  const versions = Array.from({ length: count }, (_, index) => {
    const version = count - index;
    return {
      ...{ version, digest: digestOf(`dataset ${version}`), format: "CSV" as const, rows: 100, bytes: 1000 },
      splits: { train: 80, test: 20 },
      columns: [{ name: "class", type: "Int64" as const, nullable: false, role: "Label" as const }],
      source: { uri: "http://host/wine.csv" },
      createdAt,
    };
  });
  return { versions, ...(count > 0 ? { current } : {}) };
}

export function runRecord(digest: string, changes: Partial<Run> = {}): Run {
  return {
    ...{ digest, trigger: "Spec", recipe: digestOf("recipe"), inputs: [], parameters: {}, image: "train:1" },
    ...{ phase: "Succeeded", startedAt: createdAt, finishedAt: createdAt },
    model: { name: "wine", version: 1, digest: digestOf("model 1") },
    ...changes,
  } as Run;
}

export function modelVersion(version: number, changes: Partial<ModelVersion> = {}): ModelVersion {
  return {
    ...{ version, digest: digestOf(`model ${version}`), format: "sklearn", bytes: 10, metrics: {}, evaluations: [] },
    source: { trainingJob: "wine", run: digestOf(`run ${version}`) },
    createdAt,
    ...changes,
  };
}

export function decision(verdict: Decision["verdict"], gatesDigest: string, message = "as asked"): Decision {
  return { verdict, gates: [], gatesDigest, message, decidedAt: createdAt };
}

export function evaluation(digest: string, metrics: Record<string, number>): Evaluation {
  return {
    ...{ digest, dataset: "wine", datasetVersion: 1, datasetDigest: digestOf("dataset 1"), split: "test", rows: 20 },
    metrics,
    createdAt,
  };
}

/** A Model's record, newest version first. */
export function modelRecord(versions: readonly ModelVersion[], aliases: Record<string, number> = {}): ModelRecord {
  return { versions: [...versions].sort((a, b) => b.version - a.version), aliases };
}
