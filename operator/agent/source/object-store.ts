import { join } from "node:path";
import type { Readable } from "node:stream";
import { mapTransfers } from "../artifact/concurrent.ts";
import { checkPath } from "../artifact/files.ts";
import type { Timing } from "../context.ts";
import { permanent } from "../failure.ts";
import type { Fetched, FetchOptions, Unchanged } from "./fetch.ts";
import { parseGlob } from "./glob.ts";
import { listingState } from "./listing.ts";
import { writeBody } from "./transfer.ts";

export interface StoredObject {
  key: string;
  size: number;
  etag: string;
}

/** What must be the object's still: its version where the bucket keeps versions, or else its ETag. */
export interface Pin {
  key: string;
  etag?: string | undefined;
  version?: string | undefined;
}

export interface OpenObject {
  stream: Readable;
  length: number | undefined;
  version?: string | undefined;
}

/** S3, Google Cloud Storage, Azure Blob Storage. Failures are TaskErrors. */
export interface ObjectStore {
  /** The object's uri, without secrets. */
  uri(key: string): string;
  head(key: string): Promise<StoredObject>;
  /** All objects under a prefix, a page at a time. */
  list(prefix: string): AsyncIterable<StoredObject[]>;
  /** The object's bytes. One that is not the pinned one any more is SourceChanged. */
  open(pin: Pin): Promise<OpenObject>;
  close(): Promise<void>;
}

/** More files than a version may have are a wrong prefix. */
const fileLimit = 10_000;

/** An object, all objects under a prefix that ends in a slash (or is empty), or those that match a glob. */
export async function fetchObjects(
  store: ObjectStore,
  key: string,
  { into, wanted, known, kept, arrived, progress, timing }: FetchOptions & { timing: Timing },
): Promise<Fetched | Unchanged> {
  const { found, folder } = await findObjects(store, key, wanted);
  const state = listingState(found.map(({ path, etag, size }) => ({ path, version: etag, size })));
  if (state === known) return { unchanged: true, state };
  const findKept = await kept?.();
  const listed = found.map((object) => ({ ...object, has: findKept?.(object.path, object.etag) }));
  const total = listed.reduce((sum, { size, has }) => sum + (has ? 0 : size), 0);
  const fetched = await mapTransfers(
    listed,
    ({ size }) => size,
    async ({ path, key, etag, has }) => {
      const [local, uri] = [join(into, path), store.uri(key)];
      if (has) {
        const { origin = { path, uri, etag }, ...content } = has;
        return { file: { path, local, ...content, stored: true as const }, origin };
      }
      const { stream, length, version } = await store.open({ key, etag });
      const received = (bytes: number) => progress?.(bytes, total);
      const written = await writeBody({ stream, length, label: uri, received }, local, timing);
      const file = { path, local, ...written };
      return {
        file: arrived ? await arrived(file) : file,
        origin: { path, uri, etag, ...(version ? { version } : {}) },
      };
    },
  );
  return { files: fetched.map(({ file }) => file), folder, state, origins: fetched.map(({ origin }) => origin) };
}

async function findObjects(store: ObjectStore, key: string, wanted: FetchOptions["wanted"]) {
  const glob = parseGlob(key);
  if (!glob && key !== "" && !key.endsWith("/")) {
    const path = checkPath(key.split("/").at(-1) ?? "", "SourceInvalid");
    return { found: [{ path, ...(await store.head(key)) }], folder: false };
  }
  const prefix = glob ? glob.prefix : key;
  const root = prefix.lastIndexOf("/") + 1;
  const found: (StoredObject & { path: string })[] = [];
  for await (const page of store.list(prefix)) {
    for (const object of page) {
      const path = object.key.slice(root);
      // Consoles make empty objects that stand for folders.
      if (path === "" || path.endsWith("/") || (glob && !glob.matches(object.key)) || !wanted(path)) continue;
      found.push({ ...object, path: checkPath(path, "SourceInvalid") });
    }
    if (found.length > fileLimit) {
      throw permanent("SourceInvalid", `${store.uri(key)} has more than ${fileLimit} files: narrow the prefix`);
    }
  }
  if (found.length === 0) {
    const what = glob ? "matches no file" : "holds no file";
    throw permanent("SourceNotFound", `${store.uri(key)} ${what} of the wanted kind: check the uri and the format`);
  }
  return { found, folder: true };
}
