/** A store's parts on a temporary folder, and bodies to send it. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type DatasetVersionInput, type FileEntry, manifestDigest, type RunResult } from "../../operator/store/api.ts";
import { Blobs } from "../../operator/store/blobs.ts";
import type { Database } from "../../operator/store/database.ts";
import { Datasets } from "../../operator/store/datasets.ts";
import { Models } from "../../operator/store/models.ts";
import { Retention } from "../../operator/store/retention.ts";
import { Runs } from "../../operator/store/runs.ts";
import { Sqlite } from "../../operator/store/sqlite.ts";

let openDatabase: (folder: string) => Promise<Database> = Sqlite.open;

/** Another database for the stores that are opened from now on. */
export function useDatabase(open: typeof openDatabase): void {
  openDatabase = open;
}

export const sha256 = (bytes: string | Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export function fileOf(content: string, path = "all/data.csv"): FileEntry {
  return { path, size: Buffer.byteLength(content), digest: sha256(content) };
}

/** Opens a store on a folder, which `close` deletes; `now` is the time that retention goes by. */
export async function openStore({ folder = mkdtempSync(join(tmpdir(), "lemnis-store-")), now = Date.now } = {}) {
  const database = await openDatabase(folder);
  const blobs = new Blobs(folder, database);
  const models = new Models(database, blobs);
  const retention = new Retention(database, blobs, now);
  return {
    ...{ folder, database, blobs, models, retention, runs: new Runs(database, models) },
    datasets: new Datasets(database, blobs, retention),
    /** Puts content there as an upload would. */
    async upload(namespace: string, content: string): Promise<FileEntry> {
      const file = fileOf(content);
      await blobs.put(namespace, { body: Readable.from([Buffer.from(content)]), digest: file.digest });
      return file;
    },
    async close() {
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function datasetInput(files: FileEntry[], changes: Partial<DatasetVersionInput> = {}): DatasetVersionInput {
  return {
    ...{ digest: manifestDigest(files), format: "CSV", files, rows: 3, splits: { all: 3 }, columns: [], profile: [] },
    ...{ bytes: files.reduce((sum, { size }) => sum + size, 0), source: { uri: "http://host/data.csv" }, retain: 10 },
    ...changes,
  };
}

export function runResult(changes: Partial<RunResult> = {}): RunResult {
  return {
    ...{ trigger: "Spec", recipe: sha256("recipe"), inputs: [], parameters: { C: 1 }, image: "train:1" },
    ...{ phase: "Succeeded", startedAt: "2026-03-01T10:00:00.000Z", finishedAt: "2026-03-01T10:01:00.000Z" },
    ...changes,
  };
}
