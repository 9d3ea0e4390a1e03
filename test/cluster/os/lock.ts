import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Runs `work` while holding a lock that other processes respect. The kernel holds it (flock), through a child that ends when this
 * process does, so a killed holder leaves no stale lock. `onWait` is called once when someone else has it.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, onWait: () => void = () => {}): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const holder = spawn("flock", ["--exclusive", file, "sh", "-c", "echo held; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(holder, "exit");
  const waiting = setTimeout(onWait, 1000);
  try {
    await Promise.race([
      once(holder.stdout, "data"),
      exited.then(() => {
        throw new Error(`could not lock ${file}: is its folder writable?`);
      }),
    ]);
  } finally {
    clearTimeout(waiting);
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await exited;
  }
}
