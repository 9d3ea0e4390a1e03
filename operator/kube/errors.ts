/** What the API server refuses, and what to do about it. */
export type ErrorClass =
  | "conflict"
  | "exists"
  | "throttled"
  | "transient"
  | "forbidden"
  | "invalid"
  | "notFound"
  | "gone"
  | "terminal";

export interface StatusBody {
  reason?: string;
  message?: string;
  details?: { causes?: { reason?: string; message?: string; field?: string }[]; retryAfterSeconds?: number };
}

/** A refusal's body. Priority and fairness, and proxies, refuse in plain text and say in a header when to come again. */
export function statusOf(text: string, retryAfter: unknown): StatusBody {
  try {
    return JSON.parse(text) as StatusBody;
  } catch {
    const seconds = Number(retryAfter);
    return { message: text.slice(0, 200), ...(seconds > 0 ? { details: { retryAfterSeconds: seconds } } : {}) };
  }
}

export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly { reason?: string; message?: string; field?: string }[];
  readonly retryAfterMs: number | undefined;

  constructor(what: string, status: number, body: StatusBody = {}) {
    super(`${what}: ${status} ${body.message ?? body.reason ?? ""}`.trim());
    this.name = "ApiError";
    this.status = status;
    this.reason = body.reason ?? "";
    this.causes = body.details?.causes ?? [];
    this.retryAfterMs =
      body.details?.retryAfterSeconds === undefined ? undefined : body.details.retryAfterSeconds * 1000;
  }
}

/** The connection failed or the deadline passed; whether a write happened is not known. */
export class ConnectionError extends Error {
  constructor(what: string, cause: unknown) {
    super(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "ConnectionError";
  }
}

/** This process is no longer the leader, so the write was not sent. */
export class NotLeaderError extends Error {
  constructor() {
    super("not the leader: the write was not sent");
    this.name = "NotLeaderError";
  }
}

/** The cache is behind the API server: what was planned may no longer be wanted. */
export class StaleViewError extends Error {
  constructor(what: string) {
    super(`the cache is behind: ${what}`);
    this.name = "StaleViewError";
  }
}

const byStatus: Record<number, ErrorClass> = {
  403: "forbidden",
  404: "notFound",
  410: "gone",
  422: "invalid",
  429: "throttled",
};

export function classify(error: unknown): ErrorClass {
  if (error instanceof ConnectionError) return "transient";
  if (error instanceof StaleViewError) return "conflict";
  if (!(error instanceof ApiError)) return "terminal";
  if (error.status === 409) return error.reason === "AlreadyExists" ? "exists" : "conflict";
  const known = byStatus[error.status];
  if (known) return known;
  // 401: the token is being rotated, or the API server can't reach its authenticator.
  if (error.status === 401 || error.status >= 500) return "transient";
  return "terminal";
}
