import { join } from "node:path";
import type { Timing } from "../context.ts";
import { permanent, redact } from "../failure.ts";
import type { Fetched, FetchOptions, Unchanged } from "./fetch.ts";
import { guardedAgent, type Network } from "./network.ts";
import type { PinnedFiles } from "./pinned.ts";
import { writeBody } from "./transfer.ts";
import { contentLength, request, statusError, type WebResponse } from "./web.ts";

/** One file over http(s). Its state is the ETag, or else the time of its last change. */
export async function fetchHttp(
  network: Network,
  url: URL,
  { into, known, progress, timing }: FetchOptions & { timing: Timing },
): Promise<Fetched | Unchanged> {
  const agent = guardedAgent(network, timing.idle);
  try {
    const authorization = await credentials(network, url);
    const response = await request(agent, { url, authorization, headers: conditions(known) });
    const { statusCode, body } = response;
    const state = stateOf(response);
    // Some hosts ignore the conditions; an equal ETag says the same.
    if (known !== undefined && (statusCode === 304 || (statusCode === 200 && state === known))) {
      body.on("error", () => {}).destroy();
      return { unchanged: true, state: known };
    }
    if (statusCode !== 200) {
      await body.dump();
      throw statusError(statusCode, response.url);
    }
    const path = fileName(url);
    const local = join(into, path);
    const length = contentLength(response);
    const label = redact(url.href);
    const received = (bytes: number) => progress?.(bytes, length);
    const written = await writeBody({ stream: body, length, label, received }, local, timing);
    const { etag } = response.headers;
    const pinned = typeof etag === "string" && etag.length <= 1024 ? { etag } : {};
    return {
      files: [{ path, local, ...written }],
      folder: false,
      ...(state ? { state } : {}),
      origins: [{ path, uri: label, ...pinned }],
    };
  } finally {
    await agent.destroy();
  }
}

/** The one file that a version pins, by its ETag where it has a strong one. */
export async function openPinnedHttp(network: Network, url: URL, timing: Timing): Promise<PinnedFiles> {
  const agent = guardedAgent(network, timing.idle);
  const authorization = await credentials(network, url);
  return {
    async write({ uri, etag }, target) {
      // What was pinned has no query, which may hold secrets; the location has it still.
      const pinned = redact(url.href) === uri ? url : new URL(uri);
      const headers: Record<string, string> = etag?.startsWith('"') ? { "if-match": etag } : {};
      const sameOrigin = pinned.origin === url.origin ? { authorization } : {};
      const response = await request(agent, { url: pinned, headers, ...sameOrigin });
      if (response.statusCode !== 200) {
        await response.body.dump();
        throw statusError(response.statusCode, response.url);
      }
      return writeBody({ stream: response.body, length: contentLength(response), label: uri }, target, timing);
    },
    close: () => agent.destroy(),
  };
}

/** An ETag is in quotes, a time is not. */
function conditions(known: string | undefined): Record<string, string> {
  if (known === undefined) return {};
  return known.endsWith('"') ? { "if-none-match": known } : { "if-modified-since": known };
}

function stateOf({ headers }: WebResponse): string | undefined {
  const { etag, date, "last-modified": modified } = headers;
  if (typeof etag === "string" && etag.endsWith('"') && etag.length <= 1024) return etag;
  // A time counts seconds: a file that has just changed may change again within the same one (RFC 9110, 8.8.2.2).
  if (typeof modified !== "string" || typeof date !== "string") return undefined;
  return Date.parse(date) - Date.parse(modified) >= 2_000 ? modified : undefined;
}

/** A token, or user and password, from the Secret; those in the uri of a task are of manifests before secretRef was there. */
async function credentials({ secret }: Network, url: URL): Promise<string | undefined> {
  const token = await secret("token");
  if (token) return `Bearer ${token}`;
  const [username, password] = [await secret("username"), await secret("password")];
  if (username || password) return basic(username, password);
  return url.username ? basic(decodeURIComponent(url.username), decodeURIComponent(url.password)) : undefined;
}

export function basic(username: string, password: string): string {
  if (/[\r\n]/.test(username + password))
    throw permanent("SourceForbidden", "the credentials in secretRef hold a line break");
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
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
