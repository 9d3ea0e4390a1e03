/** What goes wrong, in words that say what to do. */
import { ApiError, ConnectionError } from "../kube/errors.ts";
import { harmless } from "../profile/terminal/text.ts";

/** Told to the user as it is. */
export class UserError extends Error {
  /** 2: the command line is wrong. 1: anything else. */
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "UserError";
    this.exitCode = exitCode;
  }
}

/** A refusal of the API server, for who wanted `what`. */
export function explain(error: unknown, what: string): Error {
  if (error instanceof ConnectionError) {
    return new UserError(`the API server can't be reached: ${error.message}. Check the kubeconfig's context.`);
  }
  if (!(error instanceof ApiError)) return error instanceof Error ? error : new Error(String(error));
  if (error.status === 401) return new UserError("the API server does not know you: log in again");
  if (error.status === 403) return new UserError(`you may not ${what}: ${error.message}`);
  return new UserError(`${what}: ${error.message}`);
}

/** Line by line and harmless: servers quote what strangers wrote. */
export function failureText(error: unknown): string {
  const bug = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return (error instanceof UserError ? error.message : bug).split("\n").map(harmless).join("\n");
}
