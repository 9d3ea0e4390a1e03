import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bytesOf } from "./read-file.ts";

const folder = mkdtempSync(join(tmpdir(), "lemnis-read-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(bytes: Buffer): string {
  const path = join(folder, "data");
  writeFileSync(path, bytes);
  return path;
}
/** How often this process has the file open. */
async function openings(path: string): Promise<number> {
  const targets = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
  return (await Promise.all(targets)).filter((target) => target === path).length;
}

const pieceBytes = 1 << 18;
test.each([0, 1, 5_000, pieceBytes, pieceBytes + 1, 3 * pieceBytes + 7])(
  "%d bytes come in order, each piece until the next one is asked for, and the file is closed",
  async (size) => {
    const bytes = randomBytes(size);
    const path = write(bytes);
    const read = await bytesOf(path);
    expect(read.size).toBe(size);
    const hash = createHash("sha256");
    const lengths: number[] = [];
    for await (const piece of read.pieces) {
      // The one that is read meanwhile is another one's memory.
      await new Promise((resolve) => setTimeout(resolve, 5));
      hash.update(piece);
      lengths.push(piece.length);
    }
    expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(lengths.every((length, index) => length === pieceBytes || index === lengths.length - 1)).toBe(true);
    expect(await openings(path)).toBe(0);
  },
);

test("who stops early, or never begins, leaves nothing open", async () => {
  const path = write(randomBytes(3 * pieceBytes));
  const { pieces } = await bytesOf(path);
  expect(await openings(path)).toBe(0);
  for await (const _ of pieces) break;
  expect(await openings(path)).toBe(0);
});

test("a file that is not there is told before anything is read", async () => {
  await expect(bytesOf(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
});
