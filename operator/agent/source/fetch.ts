import { byPath, type LocalFile } from "../artifact/files.ts";
import type { AgentContext } from "../context.ts";
import { permanent, redact } from "../failure.ts";
import type { ArtifactLocation } from "../tasks.ts";
import { fetchHttp } from "./http.ts";
import { findMounted } from "./mounted.ts";
import { fetchS3 } from "./s3.ts";
import { openS3 } from "./s3-client.ts";
import { parseUri } from "./uri.ts";

export interface Fetched {
  /** By path; never empty. */
  files: LocalFile[];
  /** True when the uri names a folder or a prefix. */
  folder: boolean;
  etag?: string;
}

export interface FetchOptions {
  /** Folder for what comes over the network; mounted files stay where they are. */
  into: string;
  /** Which files of a folder are wanted, by their path in it. */
  wanted: (path: string) => boolean;
}

/** Brings a location's bytes to this pod. */
export async function fetchSource(
  { paths, timing }: Pick<AgentContext, "paths" | "timing">,
  location: ArtifactLocation,
  { into, wanted }: FetchOptions,
): Promise<Fetched> {
  const uri = parseUri(location.uri);
  if (uri.kind === "http") {
    const { file, etag } = await fetchHttp(uri.url, into, timing);
    return { files: [file], folder: false, ...(etag ? { etag } : {}) };
  }
  if (uri.kind === "s3") {
    const client = await openS3(location, paths.secret);
    try {
      const fetched = await fetchS3(client, { bucket: uri.bucket, key: uri.key, into, wanted }, timing);
      return { ...fetched, files: fetched.files.sort(byPath) };
    } finally {
      client.destroy();
    }
  }
  const label = redact(location.uri);
  const { files, folder } = await findMounted(paths.source, uri.path, label);
  const kept = folder ? files.filter(({ path }) => wanted(path)) : files;
  if (kept.length === 0) {
    throw permanent("SourceNotFound", `${label} holds no file of the wanted kind: check the path and the format`);
  }
  return { files: kept.sort(byPath), folder };
}
