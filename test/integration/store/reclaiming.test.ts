/** A store that is killed while it gives up versions: nothing that is kept is lost, and nothing that is not lies about. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FileEntry } from "../../../operator/store/api.ts";
import { openStore } from "../../builders/store.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lemnis-reclaiming-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("all bytes of the versions that are left are there, and what they were made from", async () => {
  const data = join(folder, "reclaimed");
  for (let round = 0; round < 5; round++) {
    const program = join(import.meta.dirname, "reclaiming-process.ts");
    const child = spawn(process.execPath, [program, data, String(round)], { stdio: ["ignore", "pipe", "inherit"] });
    let made = 0;
    child.stdout.on("data", (dots: Buffer) => {
      made += dots.length;
    });
    // Somewhere in the middle of the version after these.
    while (made < 5 + 3 * round) await new Promise((resolve) => setTimeout(resolve, 3));
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = await openStore({ folder: data });
    const [raw, derived] = [await store.datasets.read("a", "raw"), await store.datasets.read("a", "derived")];
    expect(raw?.versions.length).toBeGreaterThan(0);
    for (const name of ["raw", "derived"]) {
      for (const { version } of (await store.datasets.read("a", name)).versions) {
        const { files = [] } = (await store.datasets.detail("a", name, String(version))) ?? {};
        expect(files.length).toBeGreaterThan(0);
        for (const { digest } of files) expect(await store.blobs.isIntact("a", digest)).toBe(true);
      }
    }
    const digests = raw?.versions.map(({ digest }) => digest);
    for (const { parents = [] } of derived?.versions ?? []) expect(digests).toContain(parents[0]?.digest);
    expect(raw?.versions.length).toBeLessThan(6);
    await store.database.close();
  }
  // A start later, no byte is kept that no version has.
  const store = await openStore({ folder: data });
  await store.blobs.collectStray();
  await store.blobs.collect(-1);
  const kept: FileEntry[] = [];
  for (const name of ["raw", "derived"]) {
    for (const { version } of (await store.datasets.read("a", name)).versions) {
      kept.push(...((await store.datasets.detail("a", name, String(version)))?.files ?? []));
    }
  }
  const onDisk = readdirSync(join(data, "blobs/a"), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(onDisk.map((entry) => `sha256:${entry.name}`).sort()).toEqual(
    [...new Set(kept.map(({ digest }) => digest))].sort(),
  );
  await store.close();
}, 120_000);
