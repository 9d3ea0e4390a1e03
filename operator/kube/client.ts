/** The one way to the API server: a deadline on every call, a guard before every write. */
import type { KubeConfig } from "./config.ts";
import { Connection, type RequestInput } from "./connection.ts";
import { ApiError, ConnectionError, statusOf } from "./errors.ts";
import type { Answer, Terms } from "./exchange.ts";
import { toJson } from "./json.ts";
import { services } from "./resources.ts";
import { type KubeObject, type ObjectMeta, pathOf, type Resource, type ServicePath } from "./types.ts";

export const fieldManager = "lemnis";

export interface ClientOptions {
  /** Called before each write; throws when this process may not write. */
  writeGuard?: () => void;
  /** Told of each answer, for the metrics. */
  onRequest?: (call: { verb: string; resource: string; code: number }) => void;
  deadlineMs?: number;
}

const readDeadlineMs = 15_000;
/** A write that begins while this process leads ends before another may lead: see lease.ts. */
const writeDeadlineMs = 5_000;

const proxyDeadlineMs = 60_000;

export interface ObjectList<T> {
  metadata: { resourceVersion: string; continue?: string };
  items: T[];
}

interface Call {
  verb: string;
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  resource: Resource;
  path: string;
  query?: Record<string, string | undefined>;
  body?: unknown;
  contentType?: string;
  accept?: string;
  headers?: Record<string, string>;
}

const partialMetadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
export const partialObject = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

export class KubeClient {
  readonly #connection: Connection;
  readonly #options: ClientOptions;

  constructor(config: KubeConfig, options: ClientOptions = {}) {
    this.#connection = new Connection(config);
    this.#options = options;
  }

  get<T extends KubeObject>(resource: Resource, namespace: string | undefined, name: string): Promise<T> {
    return this.#json({ verb: "get", method: "GET", resource, path: pathOf(resource, namespace, name) });
  }

  /** The object's metadata alone. */
  getMetadata(resource: Resource, namespace: string | undefined, name: string): Promise<KubeObject> {
    const path = pathOf(resource, namespace, name);
    return this.#json({ verb: "get", method: "GET", resource, path, accept: partialObject });
  }

  /** One page of a list. */
  async list<T>(
    resource: Resource,
    query: Record<string, string | undefined>,
    { metadataOnly = false, signal }: { metadataOnly?: boolean; signal?: AbortSignal } = {},
  ): Promise<ObjectList<T>> {
    const accept = metadataOnly ? partialMetadata : "application/json";
    const path = pathOf(resource, undefined);
    const call: Call = { verb: "list", method: "GET", resource, path, query, accept };
    const page = await this.#json<ObjectList<T>>(call, { signal });
    // An empty list of metadata comes as null.
    return { ...page, items: page.items ?? [] };
  }

  create<T extends KubeObject>(resource: Resource, object: KubeObject): Promise<T> {
    const path = pathOf(resource, object.metadata.namespace);
    return this.#write({ verb: "create", method: "POST", resource, path, body: object });
  }

  /** PUT with the object's resourceVersion: fails with a conflict when it has changed meanwhile. */
  replace<T extends KubeObject>(resource: Resource, object: KubeObject): Promise<T> {
    const path = pathOf(resource, object.metadata.namespace, object.metadata.name);
    return this.#write({ verb: "update", method: "PUT", resource, path, body: object });
  }

  /** Makes an object for half of what an apply costs the API server, as strictly: other projects' kinds drop what they lack. */
  make(resource: Resource, object: KubeObject): Promise<ObjectMeta> {
    const path = pathOf(resource, object.metadata.namespace);
    const query = { fieldManager, fieldValidation: resource.group.includes(".") ? "Ignore" : "Strict" };
    return this.#change({ verb: "create", method: "POST", resource, path, query, body: object });
  }

  /** Merges these into the metadata of the very version that was seen; another one is a conflict. */
  amend(resource: Resource, seen: ObjectMeta, changes: Partial<ObjectMeta>): Promise<ObjectMeta> {
    return this.#change({
      verb: "patch",
      method: "PATCH",
      resource,
      path: pathOf(resource, seen.namespace, seen.name),
      query: { fieldManager },
      body: { metadata: { ...changes, resourceVersion: seen.resourceVersion } },
      contentType: "application/merge-patch+json",
    });
  }

  /**
   * Server-side apply, with force: fields that another manager holds with other values become this one's. Returns the
   * metadata of what the object has become; the rest comes by the watch.
   */
  apply(
    resource: Resource,
    object: KubeObject,
    { subresource, manager = fieldManager }: { subresource?: "status"; manager?: string } = {},
  ): Promise<ObjectMeta> {
    const path = pathOf(resource, object.metadata.namespace, object.metadata.name);
    return this.#change({
      verb: "apply",
      method: "PATCH",
      resource,
      path: subresource ? `${path}/${subresource}` : path,
      query: { fieldManager: manager, force: "true" },
      body: object,
      contentType: "application/apply-patch+yaml",
    });
  }

  /** A Service's answer, whatever its status, by way of the API server's proxy, which keeps the Authorization header to itself. */
  async getProxied(service: ServicePath, headers: Record<string, string>): Promise<{ status: number; body: unknown }> {
    const path = `${pathOf(services, service.namespace, `http:${service.name}:${service.port}`)}/proxy${service.path}`;
    const call: Call = { verb: "proxy", method: "GET", resource: services, path, headers };
    const { status, text } = await this.#exchange(call, { deadlineMs: this.#options.deadlineMs ?? proxyDeadlineMs });
    return { status, body: statusOf(text, undefined) };
  }

  /**
   * Deletes this very object; an absent one, or another of its name, is left alone and no error. With a version, an
   * object that has another one now is a conflict.
   */
  async delete(
    resource: Resource,
    { namespace, name, uid }: { namespace?: string | undefined; name: string; uid: string },
    resourceVersion?: string,
  ): Promise<void> {
    const preconditions = { uid, ...(resourceVersion ? { resourceVersion } : {}) };
    const body = { propagationPolicy: "Background", preconditions };
    try {
      await this.#write({ verb: "delete", method: "DELETE", resource, path: pathOf(resource, namespace, name), body });
    } catch (error) {
      const isGone = error instanceof ApiError && (error.status === 404 || (error.status === 409 && !resourceVersion));
      if (!isGone) throw error;
    }
  }

  /** A watch: the answer's body, line by line. Ends when the server ends it, throws when the connection breaks. */
  async *watch(
    resource: Resource,
    query: Record<string, string | undefined>,
    { signal, metadataOnly = false }: { signal: AbortSignal; metadataOnly?: boolean },
  ): AsyncGenerator<string> {
    const call: Call = {
      verb: "watch",
      method: "GET",
      resource,
      path: pathOf(resource, undefined),
      query: { ...query, watch: "true" },
      accept: metadataOnly ? partialObject : "application/json",
    };
    const streamed = this.#connection.stream(requestOf(call), signal);
    const { statusCode, headers, body } = await this.#counted(call, streamed, (answer) => answer.statusCode);
    if (statusCode !== 200) {
      const text = await body.text().catch(() => "");
      throw new ApiError(describe(call), statusCode, statusOf(text, headers["retry-after"]));
    }
    let rest = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body) {
        rest += decoder.decode(chunk as Uint8Array, { stream: true });
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        yield* lines;
      }
    } catch (error) {
      throw new ConnectionError(describe(call), error);
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #change(call: Call): Promise<ObjectMeta> {
    const { metadata } = await this.#write<KubeObject>({ ...call, accept: partialObject });
    return metadata;
  }

  #write<T>(call: Call): Promise<T> {
    this.#options.writeGuard?.();
    return this.#json(call, { deadlineMs: this.#options.deadlineMs ?? writeDeadlineMs });
  }

  async #json<T>(call: Call, terms: Partial<Terms> = {}): Promise<T> {
    const { status, headers, text } = await this.#exchange(call, terms);
    if (status >= 300) throw new ApiError(describe(call), status, statusOf(text, headers["retry-after"]));
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new ConnectionError(describe(call), error);
    }
  }

  #exchange(call: Call, terms: Partial<Terms>): Promise<Answer> {
    const deadlineMs = this.#options.deadlineMs ?? readDeadlineMs;
    return this.#counted(
      call,
      this.#connection.exchange(requestOf(call), { deadlineMs, ...terms }),
      ({ status }) => status,
    );
  }

  /** Tells of the call's answer. */
  async #counted<A>(call: Call, answered: Promise<A>, status: (answer: A) => number): Promise<A> {
    const tell = (code: number) => this.#options.onRequest?.({ verb: call.verb, resource: call.resource.plural, code });
    try {
      const answer = await answered;
      tell(status(answer));
      return answer;
    } catch (error) {
      tell(0);
      throw new ConnectionError(describe(call), error);
    }
  }
}

function requestOf(call: Call): RequestInput {
  const query = Object.entries(call.query ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const search = query.length > 0 ? `?${new URLSearchParams(query)}` : "";
  const headers: Record<string, string> = { ...call.headers, accept: call.accept ?? "application/json" };
  if (call.body !== undefined) headers["content-type"] = call.contentType ?? "application/json";
  const body = call.body === undefined ? null : toJson(call.body);
  return { method: call.method, path: `${call.path}${search}`, headers, body };
}

function describe({ verb, resource, path }: Call): string {
  return `${verb} ${resource.kind} ${path.split("/").slice(-1)[0]}`;
}
