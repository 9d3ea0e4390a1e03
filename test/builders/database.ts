/** A database for the tests of one file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { Database } from "../../operator/agent/table/database.ts";

/** With a folder of files that it may read; both end with the tests. */
export async function openTestDatabase(): Promise<{ folder: string; database: Database }> {
  const folder = mkdtempSync(join(tmpdir(), "lemnis-table-"));
  const database = await Database.open(join(folder, "database"), [folder]);
  afterAll(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, database };
}
