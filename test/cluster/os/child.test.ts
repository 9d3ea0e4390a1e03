import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { Child, freePorts } from "./child.ts";

const folder = mkdtempSync(join(tmpdir(), "lemnis-child-"));
afterAll(() => rmSync(folder, { recursive: true }));

const shell = (script: string) => ({ name: "it", command: "sh", args: ["-c", script], logFile: join(folder, "log") });

test("a server that ends before it is ready is an error that shows its log", async () => {
  const start = Child.start({ ...shell("echo no such flag; exit 2"), isReady: async () => false });
  await expect(start).rejects.toThrow(/it ended at once; its log ends:\n.*no such flag/s);
});

test("a server that is never ready is ended", async () => {
  const start = Child.start({ ...shell("echo $$; exec sleep 60"), isReady: async () => false, timeoutMs: 300 });
  const error: Error = await start.then(
    () => new Error("it started"),
    (reason) => reason,
  );
  expect(error.message).toContain("was not ready within 0.3 s");
  const pid = Number(error.message.split("\n").at(-1));
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});

test.each<[boolean, string]>([
  [true, "exit 1"],
  [true, "exit 0"],
  [true, "kill -ABRT $$"],
  [false, "exec sleep 60"],
])("that a server ends by itself is %s: %s", async (byItself, script) => {
  const child = await Child.start({ ...shell(`sleep 0.3; ${script}`), isReady: async () => true });
  if (byItself) await vi.waitFor(() => expect(child.hasExited).toBe(true), { timeout: 20_000 });
  await child.stop();
  expect(child.endedByItself).toBe(byItself);
});

test("free ports differ from each other", async () => {
  expect(new Set(await freePorts(5)).size).toBe(5);
});
