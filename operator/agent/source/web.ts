import type { Agent, Dispatcher } from "undici";
import { errorText, permanent, redact, TaskError, transient } from "../failure.ts";
import { refusalIn } from "./guard.ts";

const redirectLimit = 5;

export interface WebRequest {
  url: URL;
  method?: "GET" | "HEAD";
  headers?: Record<string, string>;
  /** Sent to the url's own origin, and to no other that it redirects to. */
  authorization?: string | undefined;
}

export type WebResponse = Dispatcher.ResponseData & {
  /** Where the last redirect led. */
  url: URL;
};

/** An answer after at most five redirects; those from https to http are refused. Any other status is the caller's. */
export async function request(agent: Agent, { url: start, ...options }: WebRequest): Promise<WebResponse> {
  let url = start;
  for (let hops = 0; hops <= redirectLimit; hops++) {
    const response = await send(agent, {
      ...options,
      url,
      authorization: url.origin === start.origin ? options.authorization : undefined,
    });
    const { statusCode, headers } = response;
    if (statusCode < 300 || statusCode >= 400 || statusCode === 304) return { ...response, url };
    await response.body.dump();
    const { location } = headers;
    if (typeof location !== "string") throw statusError(statusCode, url);
    url = redirectTarget(url, location);
  }
  throw permanent("SourceInvalid", `${redact(start.href)} redirects more than ${redirectLimit} times`);
}

function redirectTarget(url: URL, location: string): URL {
  const target = URL.parse(location, url.href);
  if (!target || !/^https?:$/.test(target.protocol)) {
    throw permanent("SourceInvalid", `${redact(url.href)} redirects to what is no http(s) URL`);
  }
  if (url.protocol === "https:" && target.protocol === "http:") {
    throw permanent("SourceInvalid", `${redact(url.href)} redirects from https to http: use a uri that stays on https`);
  }
  return target;
}

async function send(
  agent: Agent,
  { url, method, headers, authorization }: WebRequest,
): Promise<Dispatcher.ResponseData> {
  try {
    return await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: method ?? "GET",
      headers: {
        "accept-encoding": "identity",
        "user-agent": "lemnis-agent",
        ...headers,
        ...(authorization ? { authorization } : {}),
      },
    });
  } catch (error) {
    throw (
      refusalIn(error) ?? transient("SourceUnreachable", `${redact(url.href)} can't be reached: ${errorText(error)}`)
    );
  }
}

/** What a status means for the user. */
export function statusError(status: number, url: URL): TaskError {
  const label = redact(url.href);
  if (status === 404 || status === 410)
    return permanent("SourceNotFound", `${label} does not exist (HTTP ${status}): check the uri`);
  if (status === 401 || status === 403) {
    return permanent(
      "SourceForbidden",
      `${label} may not be read (HTTP ${status}): its host asks for credentials, or refuses those in secretRef`,
    );
  }
  if (status === 412) return transient("SourceChanged", `${label} changed while it was read: it is read again`);
  if (status >= 500 || status === 408 || status === 429) {
    return transient("SourceUnreachable", `${label} answered HTTP ${status}: its host is in trouble or busy`);
  }
  return permanent("SourceInvalid", `${label} answered HTTP ${status}`);
}

/** A small answer; one that is larger than it may be is SourceInvalid. */
export async function readBytes({ body, url }: WebResponse, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw permanent("SourceInvalid", `${redact(url.href)} answers with more than ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof TaskError) throw error;
    throw transient("SourceUnreachable", `${redact(url.href)} broke off: ${errorText(error)}`);
  }
  return Buffer.concat(chunks);
}

/** A number of bytes from a header; undefined where it says none. */
export function contentLength({ headers }: Pick<WebResponse, "headers">): number | undefined {
  const length = headers["content-length"];
  return typeof length === "string" && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
