import { spawn } from "node:child_process";
import { once } from "node:events";
import { clip, permanent, redact, TaskError, transient } from "../failure.ts";

/** How git reaches one repository. */
export interface Repository {
  /** What git is given: https or ssh, without credentials. */
  url: string;
  /** How messages name it. */
  label: string;
  /** A bare repository of our own. */
  folder: string;
  /** Nothing else of this process's environment reaches git. */
  env: Readonly<Record<string, string>>;
  /** Why a connection was not made. */
  refusal: () => TaskError | undefined;
  /** Milliseconds until a command is ended. */
  timeout: number;
}

/** More names than this are more than a version has files. */
const outputLimit = 64 << 20;

export function spawnGit({ folder, env }: Pick<Repository, "folder" | "env">, args: readonly string[]) {
  return spawn("git", ["--git-dir", folder, ...args], { env, cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
}

/** A command's output. One that fails, or says too much, is a TaskError that says what git said. */
export async function runGit(repository: Repository, args: readonly string[]): Promise<string> {
  const child = spawnGit(repository, args);
  child.stdin.on("error", () => {}).end();
  const output: Buffer[] = [];
  let size = 0;
  let trouble: TaskError | undefined;
  const end = (error: TaskError) => {
    trouble ??= error;
    child.kill("SIGKILL");
  };
  const timer = setTimeout(
    () =>
      end(transient("SourceUnreachable", `${repository.label}: git took longer than ${repository.timeout / 1000} s`)),
    repository.timeout,
  );
  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > outputLimit)
      end(permanent("SourceInvalid", `${repository.label} has too many files: name a folder in path`));
    else output.push(chunk);
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4096);
  });
  try {
    const [code] = await once(child, "close");
    if (trouble) throw trouble;
    if (code !== 0) throw gitError(repository, said, code);
    return Buffer.concat(output).toString("utf8");
  } catch (error) {
    if (error instanceof TaskError) throw error;
    throw transient("InternalError", `git can't be run: ${String(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

const forbidden =
  /authentication failed|could not read (username|password)|returned error: 40[13]|permission denied|host key verification failed|no matching host key/i;
const missing =
  /repository .*not found|returned error: 404|does not appear to be a git repository|repository not exported|no such file or directory/i;

/** What git's complaint means for the user. */
function gitError({ label, refusal }: Repository, said: string, code: unknown): TaskError {
  const refused = refusal();
  if (refused) return refused;
  const line = said.split("\n").find((text) => /^(fatal|error|ERROR|remote|ssh|.*@.*): /.test(text)) ?? said.trim();
  const text = clip(redact(line || `git ended with ${code}`), 300);
  if (/host key verification failed/i.test(said)) {
    return permanent(
      "SourceForbidden",
      `${label}: the server's host key is not the one in the Secret's known_hosts: add it, after you have checked it (ssh-keyscan)`,
    );
  }
  if (forbidden.test(said)) return permanent("SourceForbidden", `${label} may not be read: ${text}: check secretRef`);
  if (missing.test(said)) return permanent("SourceNotFound", `${label} does not exist: ${text}: check the uri`);
  if (/not our ref|couldn't find remote ref|unadvertised object/i.test(said)) {
    return permanent("SourceNotFound", `${label} does not have the commit any more: ${text}: check ref`);
  }
  if (/redirect/i.test(said))
    return permanent("SourceInvalid", `${label}: ${text}: write the address that it leads to`);
  return transient("SourceUnreachable", `${label} can't be read: ${text}`);
}
