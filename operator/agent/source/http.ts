import { join } from "node:path";
import { Agent, type Dispatcher } from "undici";
import type { LocalFile } from "../artifact/files.ts";
import type { Timing } from "../context.ts";
import { errorText, permanent, redact, TaskError, transient } from "../failure.ts";
import { writeBody } from "./transfer.ts";

const redirectLimit = 5;

/** One file over http(s), with its ETag. */
export async function fetchHttp(url: URL, into: string, timing: Timing): Promise<{ file: LocalFile; etag?: string }> {
  const agent = new Agent({ connect: { timeout: 10_000 }, headersTimeout: timing.idle, bodyTimeout: timing.idle });
  try {
    const response = await follow(url, agent);
    const path = fileName(url);
    const local = join(into, path);
    const length = Number(response.headers["content-length"] ?? Number.NaN);
    const body = { stream: response.body, length: Number.isNaN(length) ? undefined : length, label: redact(url.href) };
    await writeBody(body, local, timing);
    const { etag } = response.headers;
    return { file: { path, local }, ...(typeof etag === "string" ? { etag } : {}) };
  } finally {
    await agent.destroy();
  }
}

async function follow(start: URL, agent: Agent): Promise<Dispatcher.ResponseData> {
  let url = start;
  for (let hops = 0; hops <= redirectLimit; hops++) {
    const response = await get(url, start.origin, agent);
    const { statusCode, headers } = response;
    if (statusCode < 300) return response;
    await response.body.dump();
    const { location } = headers;
    if (statusCode >= 400 || typeof location !== "string") throw statusError(statusCode, url);
    const target = URL.parse(location, url.href);
    if (!target || !/^https?:$/.test(target.protocol)) {
      throw permanent("SourceInvalid", `${redact(url.href)} redirects to what is no http(s) URL`);
    }
    if (url.protocol === "https:" && target.protocol === "http:") {
      throw permanent(
        "SourceInvalid",
        `${redact(url.href)} redirects from https to http: use a uri that stays on https`,
      );
    }
    url = target;
  }
  throw permanent("SourceInvalid", `${redact(start.href)} redirects more than ${redirectLimit} times`);
}

async function get(url: URL, origin: string, agent: Agent): Promise<Dispatcher.ResponseData> {
  // Credentials in the uri go to the host they were written for, and to no other that it redirects to.
  const credentials = url.origin === origin && url.username !== "";
  const userinfo = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  try {
    return await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: "GET",
      headers: {
        "accept-encoding": "identity",
        "user-agent": "lemnis-agent",
        ...(credentials ? { authorization: `Basic ${Buffer.from(userinfo).toString("base64")}` } : {}),
      },
    });
  } catch (error) {
    if (error instanceof TaskError) throw error;
    throw transient("SourceUnreachable", `${redact(url.href)} can't be reached: ${errorText(error)}`);
  }
}

function statusError(status: number, url: URL): TaskError {
  const label = redact(url.href);
  if (status === 404 || status === 410)
    return permanent("SourceNotFound", `${label} does not exist (HTTP ${status}): check the uri`);
  if (status === 401 || status === 403) {
    return permanent(
      "SourceForbidden",
      `${label} may not be read (HTTP ${status}): its host asks for credentials, or refuses them`,
    );
  }
  if (status >= 500 || status === 408 || status === 429) {
    return transient("SourceUnreachable", `${label} answered HTTP ${status}: its host is in trouble or busy`);
  }
  return permanent("SourceInvalid", `${label} answered HTTP ${status}`);
}

function fileName(url: URL): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  let name = last;
  try {
    name = decodeURIComponent(last);
  } catch {
    // A stray % stays as it is.
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  const safe = name.replace(/[\u0000-\u001f\\/]/g, "_").slice(0, 200);
  return /^\.*$/.test(safe) ? "data" : safe;
}
