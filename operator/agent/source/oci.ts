import { join } from "node:path";
import type { Agent } from "undici";
import { sha256 } from "../../api/digest.ts";
import { mapTransfers } from "../artifact/concurrent.ts";
import { checkPath } from "../artifact/files.ts";
import type { Timing } from "../context.ts";
import { permanent, transient } from "../failure.ts";
import type { Fetched, FetchOptions, Unchanged } from "./fetch.ts";
import { guardedAgent, type Network } from "./network.ts";
import { RegistryLogin } from "./oci-login.ts";
import { manifestTypes, parseManifest } from "./oci-manifest.ts";
import type { PinnedFiles } from "./pinned.ts";
import { type Written, writeBody } from "./transfer.ts";
import { contentLength, readBytes, request, statusError, type WebResponse } from "./web.ts";

export interface OciAddress {
  /** host or host:port. */
  registry: string;
  repository: string;
  /** A tag, or a digest. */
  reference: string;
}

/** Manifests are lists: a larger one is none (the registries' own limit). */
const manifestLimit = 4 << 20;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/**
 * An artifact's layers, each a file named by its annotation org.opencontainers.image.title, as ORAS writes them. Archives are
 * not unpacked. The state is the manifest's digest.
 */
export async function fetchOci(
  network: Network,
  address: OciAddress,
  { into, wanted, known, arrived, progress, timing }: FetchOptions & { timing: Timing },
): Promise<Fetched | Unchanged> {
  const registry = new Registry(network, address, timing);
  try {
    const { digest, layers } = await registry.manifest(known);
    if (!layers) return { unchanged: true, state: digest };
    const kept = layers
      .map(({ title, ...layer }) => ({ ...layer, path: checkPath(title, "SourceInvalid") }))
      .filter(({ path }) => layers.length === 1 || wanted(path));
    const total = kept.reduce((sum, { size }) => sum + size, 0);
    const received = (bytes: number) => progress?.(bytes, total);
    const files = await mapTransfers(
      kept,
      ({ size }) => size,
      async ({ path, digest }) => {
        const local = join(into, path);
        const file = { path, local, ...(await registry.write(digest, local, received)) };
        return arrived ? arrived(file) : file;
      },
    );
    const origins = kept.map(({ path, digest }) => ({ path, uri: registry.uri(digest), version: digest }));
    return { files, folder: layers.length > 1, state: digest, origins };
  } finally {
    await registry.close();
  }
}

/** Layers that a version pins: a layer is what its digest says, for ever. */
export function openPinnedOci(network: Network, address: OciAddress, timing: Timing): PinnedFiles {
  const registry = new Registry(network, address, timing);
  return {
    write({ uri, version = "" }, target) {
      if (uri !== registry.uri(version) || !digestPattern.test(version)) {
        throw permanent("SourceChanged", `${uri} was pinned when the source was another repository`);
      }
      return registry.write(version, target);
    },
    close: () => registry.close(),
  };
}

/** One repository of a registry, by the OCI distribution specification 1.1. */
class Registry {
  readonly #address: OciAddress;
  readonly #agent: Agent;
  readonly #timing: Timing;
  readonly #login: RegistryLogin;

  constructor(network: Network, address: OciAddress, timing: Timing) {
    this.#address = address;
    this.#timing = timing;
    this.#agent = guardedAgent(network, timing.idle);
    this.#login = new RegistryLogin(this.#agent, network, address.repository);
  }

  uri(digest: string): string {
    return `oci://${this.#address.registry}/${this.#address.repository}@${digest}`;
  }

  /** Without layers when its digest is the known one. */
  async manifest(known: string | undefined) {
    const { reference } = this.#address;
    const label = reference.includes(":") ? this.uri(reference) : this.uri("").replace(/@$/, `:${reference}`);
    if (known !== undefined) {
      const head = await this.#get(`manifests/${reference}`, "HEAD");
      await head.body.dump();
      if (head.headers["docker-content-digest"] === known) return { digest: known };
    }
    const response = await this.#get(`manifests/${reference}`);
    const bytes = await readBytes(response, manifestLimit);
    const digest = sha256(bytes);
    const promised = reference.startsWith("sha256:") ? reference : response.headers["docker-content-digest"];
    if (typeof promised === "string" && promised.startsWith("sha256:") && promised !== digest) {
      throw permanent("DigestMismatch", `${label}: the registry's manifest is ${digest}, not ${promised}`);
    }
    return { digest, layers: digest === known ? undefined : parseManifest(bytes, label) };
  }

  /** A blob, which must be what its digest says. */
  async write(digest: string, target: string, received?: (bytes: number) => void): Promise<Written> {
    const label = this.uri(digest);
    const response = await this.#get(`blobs/${digest}`);
    const body = { stream: response.body, length: contentLength(response), label, received };
    const written = await writeBody(body, target, this.#timing);
    if (written.digest !== digest) {
      throw transient("SourceUnreachable", `${label}: the registry's bytes are ${written.digest}`);
    }
    return written;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #get(path: string, method: "GET" | "HEAD" = "GET"): Promise<WebResponse> {
    const { registry, repository } = this.#address;
    const url = new URL(`https://${registry}/v2/${repository}/${path}`);
    const send = (authorization: string | undefined) =>
      request(this.#agent, { url, method, authorization, headers: { accept: manifestTypes } });
    let response = await send(await this.#login.first());
    // Where a redirect led says 401 to a request without credentials, and has no say in where they go.
    if (response.statusCode === 401 && response.url.origin === url.origin) {
      await response.body.dump();
      response = await send(await this.#login.answer(response));
    }
    if (response.statusCode === 200) return response;
    await response.body.dump();
    throw statusError(response.statusCode, url);
  }
}
