import { spawn } from "node:child_process";

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Text for the standard input. */
  input?: string;
  /** Called with each line of standard output and standard error. */
  onLine?: (line: string) => void;
}

/** A program that could not be started or ended with a code other than 0. `output` is the end of what it wrote to standard error. */
export class CommandError extends Error {
  readonly output: string;
  readonly code: number | string;
  constructor(command: string, code: number | string, output: string) {
    super(`${command} failed (${code})${output ? `:\n${output}` : ""}`);
    this.name = "CommandError";
    this.output = output;
    this.code = code;
  }
}

/** Runs a program to its end and returns what it wrote to standard output. Throws CommandError. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env });
    const stdout: Buffer[] = [];
    const stderr: string[] = [];
    const onLine = options.onLine;
    const shown = [command, ...args.slice(0, 3)].join(" ");
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      stderr.push(chunk.toString());
      if (stderr.length > 200) stderr.shift();
    });
    if (onLine) {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          for (const line of chunk.toString().split("\n")) if (line.trim()) onLine(line.trimEnd());
        });
      }
    }
    child.stdin.on("error", () => {}); // a program that ends without reading its input is judged by its exit code
    child.stdin.end(options.input ?? "");
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(new CommandError(shown, error.code ?? error.message, "")),
    );
    child.on("close", (code, signal) => {
      if (code === 0) resolve(Buffer.concat(stdout).toString());
      else reject(new CommandError(shown, code ?? signal ?? "unknown", tail(stderr.join(""), 25)));
    });
  });
}

/** As `run`, for what may fail without harm: the answer is undefined then. */
export async function tryRun(command: string, args: readonly string[], options?: CommandOptions) {
  try {
    return await run(command, args, options);
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/** Whether a program of this name is on PATH. */
export async function isInstalled(program: string): Promise<boolean> {
  return (await tryRun("sh", ["-c", `command -v "$0"`, program])) !== undefined;
}

export function tail(text: string, lines: number): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}
