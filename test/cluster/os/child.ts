import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { tail } from "../command.ts";
import { waitUntil } from "../progress.ts";

export interface ChildOptions {
  name: string;
  command: string;
  args: readonly string[];
  logFile: string;
  /** Beside this process's environment. */
  env?: Record<string, string>;
  isReady: () => Promise<boolean>;
  timeoutMs?: number;
}

/** A server that lives no longer than this process: the kernel kills it when its parent dies, however that dies. */
export class Child {
  readonly name: string;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #stopped = false;

  private constructor(name: string, process: ChildProcess) {
    this.name = name;
    this.#process = process;
    this.#exited = once(process, "exit");
    this.pid = process.pid ?? 0;
  }

  /** Starts the server and waits until it is ready. On failure nothing is left running, and the error ends with the log's end. */
  static async start({
    name,
    command,
    args,
    logFile,
    env,
    isReady,
    timeoutMs = 180_000,
  }: ChildOptions): Promise<Child> {
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, "a");
    const spawned = spawn("setpriv", ["--pdeathsig", "KILL", "--", command, ...args], {
      stdio: ["ignore", log, log],
      ...(env ? { env: { ...process.env, ...env } } : {}),
    });
    closeSync(log);
    await once(spawned, "spawn");
    const child = new Child(name, spawned);
    const failure = (what: string) =>
      new Error(`${name} ${what}; its log ends:\n${tail(readFileSync(logFile, "utf8"), 15)}`);
    const ready = async () => {
      if (child.hasExited) throw failure("ended at once");
      return isReady();
    };
    try {
      await waitUntil(ready, { timeoutMs, failure: () => failure(`was not ready within ${timeoutMs / 1000} s`) });
    } catch (error) {
      await child.stop("SIGKILL");
      throw error;
    }
    return child;
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** It ended, and nobody had asked it to: with whatever code, or by a signal, as V8 does when its heap is full. */
  get endedByItself(): boolean {
    return this.hasExited && !this.#stopped;
  }

  /** Ends the server and waits until it has ended; one that ignores SIGTERM is killed after 10 s. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (this.hasExited) return;
    this.#stopped = true;
    this.#process.kill(signal);
    const killer = setTimeout(() => this.#process.kill("SIGKILL"), 10_000);
    await this.#exited;
    clearTimeout(killer);
  }
}

/** From these no connection takes one as its own end; above are the ports that clusters hand out to Services. */
const [firstPort, lastPort] = [10_000, 29_999];

/** What this process has been given: of two that ask at the same time, neither uses its port yet. */
const given = new Set<number>();

/** Ports that were free a moment ago, of every address. Another process may take one first: whoever uses them must be ready to try again. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort + 1));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) found.push(port);
    else given.delete(port);
  }
  return found;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
