import type { Origin } from "../../store/api.ts";
import { byPath, type LocalFile } from "../artifact/files.ts";
import { permanent, redact } from "../failure.ts";
import { mountedAt } from "../paths.ts";
import type { ArtifactLocation } from "../tasks.ts";
import { openBucket } from "./bucket.ts";
import { fetchGit } from "./git.ts";
import { fetchHttp } from "./http.ts";
import { findMounted } from "./mounted.ts";
import { openNetwork, type SourceContext } from "./network.ts";
import { fetchObjects } from "./object-store.ts";
import { fetchOci } from "./oci.ts";
import { fetchPostgres } from "./postgres.ts";
import type { Written } from "./transfer.ts";
import { parseUri } from "./uri.ts";

export interface Fetched {
  /** By path; never empty. Those that came over the network have their size and digest, computed on the way. */
  files: LocalFile[];
  /** True when the location names a folder, a prefix or a glob. */
  folder: boolean;
  /** What the source says of itself, at most 1024 characters: the same again, and nothing has changed. Absent where it says nothing. */
  state?: string;
  /** Where each file can be read again, one a file; absent where a source keeps no versions. */
  origins?: Origin[];
  /** Of files that stay where they are: throws SourceChanged where one is not what was listed any more. */
  verify?: () => Promise<void>;
}

/** The source's state is still the known one, so nothing was read. */
export interface Unchanged {
  unchanged: true;
  state: string;
}

/** A file that an earlier version has. */
export interface Kept extends Written {
  /** Where it stays, of a version by reference. */
  origin?: Origin | undefined;
}

export type FindKept = (path: string, etag: string) => Kept | undefined;

export interface FetchOptions {
  /** Folder for what comes over the network; mounted files stay where they are. */
  into: string;
  /** Which files of a folder are wanted, by their path in it. */
  wanted: (path: string) => boolean;
  /** The state of the last version that was made in the same way. */
  known?: string | undefined;
  /** Finds what the last version has of a file with this ETag, which is then not fetched again. Asked for when `known` is not the state. */
  kept?: (() => Promise<FindKept>) | undefined;
  /** Given each file as soon as it is whole, by sources of many files; returns what has become of it. */
  arrived?: ((file: LocalFile & Written) => Promise<LocalFile>) | undefined;
  /** Told of the bytes that have come since it was last told, and how many there will be, where that is known. */
  progress?: ((bytes: number, totalBytes: number | undefined) => void) | undefined;
}

/**
 * Brings a location's bytes to this pod. With `known`, a source that has not changed is noticed without a download. Trouble
 * is a TaskError, after which files may lie in `into` that nobody must use.
 */
export async function fetchSource(
  context: SourceContext,
  location: ArtifactLocation,
  options: FetchOptions & { known?: undefined },
): Promise<Fetched>;
export async function fetchSource(
  context: SourceContext,
  location: ArtifactLocation,
  options: FetchOptions,
): Promise<Fetched | Unchanged>;
export async function fetchSource(
  context: SourceContext,
  location: ArtifactLocation,
  options: FetchOptions,
): Promise<Fetched | Unchanged> {
  const fetched = await fetchFrom(context, location, options);
  if ("unchanged" in fetched) return fetched;
  if (fetched.files.length === 0) {
    throw permanent(
      "SourceNotFound",
      `${redact(location.uri)} holds no file of the wanted kind: check the path and the format`,
    );
  }
  return { ...fetched, files: fetched.files.sort(byPath) };
}

async function fetchFrom(context: SourceContext, location: ArtifactLocation, options: FetchOptions) {
  const { paths, timing } = context;
  const uri = parseUri(location.uri);
  if (uri.kind === "mounted") {
    const folder = mountedAt(paths.source, location.mount);
    return findMounted(folder, { ...uri, label: redact(location.uri) }, options);
  }
  const network = await openNetwork(context, location);
  if (uri.kind === "http") return fetchHttp(network, uri.url, { ...options, timing });
  if (uri.kind === "git") {
    const { ref, path } = location;
    return fetchGit(context, network, { ...options, address: uri.address, ref, path });
  }
  if (uri.kind === "oci") return fetchOci(network, uri.address, { ...options, timing });
  if (uri.kind === "postgres") {
    return fetchPostgres(network, { address: uri.address, query: location.query }, { ...options, timing });
  }
  const store = await openBucket(uri.bucket, location, { network, timing });
  try {
    return await fetchObjects(store, uri.key, { ...options, timing });
  } finally {
    await store.close();
  }
}
