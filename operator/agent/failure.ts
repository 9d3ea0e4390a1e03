import { StoreError } from "../store/client.ts";
import type { TaskFailure } from "./tasks.ts";

/** Trouble that the user or the operator can act on; `retryable` says whether the same task may work later. */
export class TaskError extends Error {
  readonly reason: TaskFailure["reason"];
  readonly retryable: boolean;

  constructor(failure: TaskFailure, retryable: boolean) {
    super(failure.message);
    this.name = "TaskError";
    this.reason = failure.reason;
    this.retryable = retryable;
  }
}

/** The same input fails the same way: the Job ends. */
export function permanent(reason: TaskFailure["reason"], message: string): TaskError {
  return new TaskError({ reason, message }, false);
}

/** The network or a service was away: the Job tries again. */
export function transient(reason: TaskFailure["reason"], message: string): TaskError {
  return new TaskError({ reason, message }, true);
}

/** What an exception means for the user. Unknown exceptions are retried: they may come from the node. */
export function asTaskError(error: unknown): TaskError {
  if (error instanceof TaskError) return error;
  if (error instanceof StoreError) return storeFailure(error);
  const code = errorCode(error);
  if (code === "ENOSPC") {
    return transient("InternalError", "no room left on the pod's volume: use a node with more ephemeral storage");
  }
  if (error instanceof Error && error.message.startsWith("Out of Memory Error")) {
    return permanent(
      "MemoryTooSmall",
      "the table needs more memory than the pod has for it, half of its limit: raise spec.resources.limits.memory",
    );
  }
  return transient("InternalError", `unexpected failure: ${errorText(error)}`);
}

function storeFailure({ status, transient: passing, message }: StoreError): TaskError {
  if (passing) return transient("StoreUnavailable", message);
  // A token that has just expired is read anew by the next try.
  if (status === 401) return transient("StoreRejected", `the store does not accept this pod's token: ${message}`);
  return permanent("StoreRejected", `the store refused: ${message}`);
}

/** Bytes that the kubelet reads of a termination message. */
const terminationBytes = 4096;
const messageLength = 1024;

/** The termination message: JSON of at most 4096 bytes, without secrets. */
export function failureJson(error: TaskError): string {
  let message = clip(redact(error.message), messageLength);
  for (;;) {
    const json = JSON.stringify({ reason: error.reason, message } satisfies TaskFailure);
    if (Buffer.byteLength(json) <= terminationBytes) return json;
    message = clip(message, Math.floor(message.length * 0.8));
  }
}

/** The text with userinfo and query strings taken out of its uris: both may hold credentials. */
export function redact(text: string): string {
  return text.replace(
    /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/?#"'<>]*@)?([^\s?#"'<>]*)([?#][^\s"'<>]*)?/gi,
    (_match, scheme: string, _userinfo: string | undefined, rest: string) => scheme + rest,
  );
}

export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : undefined;
}

/** The error in words; network errors often say why only in their cause. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${errorText(error.cause)}` : "";
  return `${error.message || errorCode(error) || error.name}${cause}`;
}

/** No character is left cut in two: what is no text comes back from the API server as another. */
export function clip(text: string, length: number): string {
  return (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed();
}
