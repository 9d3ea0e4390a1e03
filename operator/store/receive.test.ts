import { createHash, randomBytes } from "node:crypto";
import { constants, mkdtempSync, readFileSync, rmSync } from "node:fs";
import promises, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { receive } from "./receive.ts";

const folder = mkdtempSync(join(tmpdir(), "lemnis-receive-"));
const path = join(folder, "upload");
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  rmSync(path, { force: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const megabyte = 1 << 20;
const bytes = randomBytes(3 * megabyte + 7);
/** As they come over the network. */
const chunksOf = (whole: Buffer) =>
  Readable.from(
    Array.from({ length: Math.ceil(whole.length / 65_000) }, (_, n) => whole.subarray(n * 65_000, (n + 1) * 65_000)),
  );

/** Whoever opens a file to write past the page cache gets what `change` makes of its handle. */
function changeDirect(change: (handle: FileHandle) => void): void {
  const { open } = promises;
  vi.spyOn(promises, "open").mockImplementation(async (...args) => {
    const handle = await open(...args);
    if (Number(args[1]) & constants.O_DIRECT) change(handle);
    return handle;
  });
  syncBuiltinESMExports();
}
const refusal = Object.assign(new Error("invalid argument"), { code: "EINVAL" });

async function expectReceived(whole: Buffer): Promise<void> {
  expect(await receive(path, chunksOf(whole), whole.length)).toEqual({
    size: whole.length,
    digest: `sha256:${createHash("sha256").update(whole).digest("hex")}`,
  });
  expect(readFileSync(path).equals(whole)).toBe(true);
}

test.each([0, 1, 5_000, megabyte, megabyte + 1, 3 * megabyte, 3 * megabyte + 7])(
  "%d bytes are written as they came",
  (size) => expectReceived(bytes.subarray(0, size)),
);

test("whole pieces go past the page cache, and the rest through it", async () => {
  const lengths: unknown[] = [];
  changeDirect((handle) => {
    const write = handle.write.bind(handle) as (...args: unknown[]) => never;
    vi.spyOn(handle, "write").mockImplementation((...args: unknown[]) => {
      lengths.push(args[2]);
      return write(...args);
    });
  });
  await expectReceived(bytes);
  expect(lengths).toEqual([megabyte, megabyte, megabyte]);
});

test.each([0, 1, 2])("a file system that refuses it after %d pieces gets all the same bytes", async (taken) => {
  changeDirect((handle) => {
    const write = handle.write.bind(handle) as (...args: unknown[]) => never;
    let count = 0;
    vi.spyOn(handle, "write").mockImplementation(async (...args: unknown[]) => {
      if (count++ >= taken) throw refusal;
      return write(...args);
    });
  });
  await expectReceived(bytes);
});

test("so does one that refuses to open a file for it", async () => {
  changeDirect((handle) => {
    void handle.close();
    throw refusal;
  });
  await expectReceived(bytes);
});

test("what the disk says otherwise fails the upload, once its sender was heard out", async () => {
  changeDirect((handle) => {
    const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    vi.spyOn(handle, "write").mockRejectedValue(full);
  });
  const body = chunksOf(bytes);
  await expect(receive(path, body, bytes.length)).rejects.toMatchObject({ code: "ENOSPC" });
  expect(body.readableEnded).toBe(true);
});
