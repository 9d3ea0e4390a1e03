/** Who calls, by service-account token, and what they may do: everything of their own namespace, and nothing of another's. */
import { createHash } from "node:crypto";
import { HttpError } from "./errors.ts";

export interface Review {
  authenticated: boolean;
  /** `system:serviceaccount:<namespace>:<name>` */
  username?: string;
}

export interface Caller {
  namespace: string;
  name: string;
  isOperator: boolean;
}

interface AuthInput {
  /** Asks the API server about a token; throws when it can't be asked. */
  review: (token: string) => Promise<Review>;
  /** `<namespace>/<service account>` of the operator, which may do everything. */
  operatorIdentity: string;
  now?: () => number;
}

/** The API server's proxy keeps Authorization to itself, so what comes by way of it has its token in a header of its own. */
export const tokenHeader = "lemnis-token";
type TokenHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The proxied header comes first: there, Authorization is not the caller's. */
function tokenOf(headers: TokenHeaders): string | undefined {
  const [proxied, authorization] = [headers[tokenHeader], headers.authorization];
  if (proxied !== undefined) return /^\S+$/.exec(String(proxied))?.[0];
  return /^Bearer (\S+)$/.exec(String(authorization ?? ""))?.[1];
}

/** A token that was taken back is good for this long still. */
const trustMs = 60_000;
const remembered = 10_000;

export class Authenticator {
  readonly #input: AuthInput;
  readonly #known = new Map<string, { caller: Caller; until: number }>();

  constructor(input: AuthInput) {
    this.#input = input;
  }

  /** The caller behind a request's headers. Throws 401, or 503 when the API server can't be asked. */
  async identify(headers: TokenHeaders): Promise<Caller> {
    const token = tokenOf(headers);
    if (!token) throw new HttpError(401, "Unauthorized", "send a service-account token: Authorization: Bearer <token>");
    const now = this.#input.now?.() ?? Date.now();
    const key = createHash("sha256").update(token).digest("hex");
    const known = this.#known.get(key);
    if (known && known.until > now) return known.caller;
    const caller = this.#callerOf(await this.#ask(token));
    this.#known.delete(key);
    this.#known.set(key, { caller, until: now + trustMs });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= remembered) break;
      this.#known.delete(oldest);
    }
    return caller;
  }

  async #ask(token: string): Promise<Review> {
    try {
      return await this.#input.review(token);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new HttpError(503, "ReviewUnavailable", `the API server could not be asked about the token: ${why}`);
    }
  }

  #callerOf({ authenticated, username = "" }: Review): Caller {
    const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? [];
    if (!authenticated || !namespace || !name) {
      throw new HttpError(401, "Unauthorized", "the token is not a service account's for the audience lemnis-store");
    }
    return { namespace, name, isOperator: `${namespace}/${name}` === this.#input.operatorIdentity };
  }
}

/** Throws 403 when the caller is of another namespace. */
export function requireNamespace(caller: Caller, namespace: string): void {
  if (caller.isOperator || caller.namespace === namespace) return;
  const message = `service account ${caller.namespace}/${caller.name} may use namespace ${caller.namespace} only`;
  throw new HttpError(403, "Forbidden", message);
}

/** Throws 403 for what the operator alone decides. */
export function requireOperator(caller: Caller): void {
  if (!caller.isOperator) throw new HttpError(403, "Forbidden", "decisions and aliases are the operator's alone");
}
