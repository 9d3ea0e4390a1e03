import { createHmac } from "node:crypto";
import type { Agent } from "undici";
import type { Timing } from "../context.ts";
import { permanent, transient } from "../failure.ts";
import type { ArtifactLocation } from "../tasks.ts";
import { blobsIn, nextMarker } from "./azure-list.ts";
import { guardedAgent, type Network } from "./network.ts";
import type { ObjectStore, OpenObject, Pin, StoredObject } from "./object-store.ts";
import { contentLength, readBytes, request, statusError, type WebResponse } from "./web.ts";

export interface AzureContainer {
  account: string;
  container: string;
}

/** The newest version that Azurite and Azure Stack know too. */
const apiVersion = "2021-12-02";
const pageLimit = 64 << 20;

interface Access {
  base: URL;
  agent: Agent;
  /** The account's key and a SAS token; empty where there is none. */
  key: string;
  token: string;
  /** Blobs in an answer; by default as many as the service likes, 5000. */
  pageSize: number | undefined;
}

/** A container of Azure Blob Storage, by its REST API: with the account's key, with a SAS token, or without credentials. */
export class AzureStore implements ObjectStore {
  readonly #container: AzureContainer;
  readonly #access: Access;

  private constructor(container: AzureContainer, access: Access) {
    this.#container = container;
    this.#access = access;
  }

  static async open(
    container: AzureContainer,
    { endpoint }: Pick<ArtifactLocation, "endpoint">,
    { network, timing, pageSize }: { network: Network; timing: Timing; pageSize?: number },
  ): Promise<AzureStore> {
    // An endpoint of one's own has the account in its path, as Azurite has it.
    const base = endpoint ? `${endpoint.replace(/\/$/, "")}/${container.account}` : publicEndpoint(container.account);
    const key = await network.secret("AZURE_STORAGE_KEY");
    const token = (await network.secret("AZURE_STORAGE_SAS_TOKEN")).replace(/^\?/, "");
    const agent = guardedAgent(network, timing.idle);
    return new AzureStore(container, { base: new URL(base), agent, key, token, pageSize });
  }

  uri(key: string): string {
    return `az://${this.#container.account}/${this.#container.container}/${key}`;
  }

  async head(key: string): Promise<StoredObject> {
    const response = await this.#send({ method: "HEAD", key });
    await response.body.dump();
    return { key, size: contentLength(response) ?? 0, etag: String(response.headers.etag ?? "") };
  }

  async *list(prefix: string): AsyncGenerator<StoredObject[]> {
    const { pageSize } = this.#access;
    const base = { restype: "container", comp: "list", prefix, ...(pageSize ? { maxresults: String(pageSize) } : {}) };
    let marker: string | undefined;
    do {
      const query = { ...base, ...(marker ? { marker } : {}) };
      const page = (await readBytes(await this.#send({ method: "GET", query }), pageLimit)).toString("utf8");
      yield blobsIn(page);
      marker = nextMarker(page);
    } while (marker);
  }

  async open({ key, etag, version }: Pin): Promise<OpenObject> {
    const query: Record<string, string> = version ? { versionid: version } : {};
    const headers: Record<string, string> = etag && !version ? { "if-match": etag } : {};
    const response = await this.#send({ method: "GET", key, query, headers });
    const found = response.headers["x-ms-version-id"];
    return {
      stream: response.body,
      length: contentLength(response),
      version: typeof found === "string" ? found : undefined,
    };
  }

  async close(): Promise<void> {
    await this.#access.agent.destroy();
  }

  async #send({ method, key, query = {}, headers = {} }: AzureRequest): Promise<WebResponse> {
    const { container, account } = this.#container;
    const { base, agent, key: accountKey, token } = this.#access;
    const url = new URL(base);
    const path = [container, ...(key === undefined ? [] : key.split("/"))].map(encodeURIComponent).join("/");
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${path}`;
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const sent = { "x-ms-date": new Date().toUTCString(), "x-ms-version": apiVersion, ...headers };
    const authorization = accountKey
      ? `SharedKey ${account}:${signature({ method, url, headers: sent }, account, accountKey)}`
      : undefined;
    if (!accountKey) for (const [name, value] of new URLSearchParams(token)) url.searchParams.set(name, value);
    const response = await request(agent, { url, method, headers: sent, authorization });
    if (response.statusCode === 200) return response;
    await response.body.dump();
    throw this.#failure(response, key ?? query.prefix ?? "");
  }

  #failure({ statusCode, headers, url }: WebResponse, key: string) {
    const label = this.uri(key);
    const code = String(headers["x-ms-error-code"] ?? `HTTP ${statusCode}`).slice(0, 64);
    if (statusCode === 404) {
      return permanent("SourceNotFound", `${label}: it or its container does not exist (${code}): check the uri`);
    }
    if (statusCode === 412) return transient("SourceChanged", `${label} is not what it was: it changed (${code})`);
    if (statusCode === 401 || statusCode === 403) {
      return permanent(
        "SourceForbidden",
        `${label} may not be read (${code}): check AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN in secretRef`,
      );
    }
    return statusError(statusCode, url);
  }
}

interface AzureRequest {
  method: "GET" | "HEAD";
  key?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
}

function publicEndpoint(account: string): string {
  return `https://${account}.blob.core.windows.net`;
}

/** Shared Key: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key, for requests without a body. */
function signature(
  { method, url, headers }: { method: string; url: URL; headers: Record<string, string> },
  account: string,
  key: string,
): string {
  const own = Object.entries(headers)
    .filter(([name]) => name.startsWith("x-ms-"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}`);
  const query = [...url.searchParams].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}:${value}`);
  const resource = [`/${account}${url.pathname}`, ...query];
  // Of the eleven standard headers only If-Match is ever sent.
  const standard = ["", "", "", "", "", "", "", headers["if-match"] ?? "", "", "", ""];
  const text = [method, ...standard, ...own, ...resource].join("\n");
  return createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
}
