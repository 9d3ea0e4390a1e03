import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { Origin } from "../../store/api.ts";
import { permanent, redact } from "../failure.ts";
import { mountedAt } from "../paths.ts";
import type { ArtifactLocation } from "../tasks.ts";
import { openBucket } from "./bucket.ts";
import { openPinnedGit } from "./git.ts";
import { openPinnedHttp } from "./http.ts";
import { findMounted } from "./mounted.ts";
import { openNetwork, type SourceContext } from "./network.ts";
import { openPinnedOci } from "./oci.ts";
import { type Body, type Written, writeBody } from "./transfer.ts";
import { parseUri } from "./uri.ts";

/** Files as an earlier fetch has pinned them. */
export interface PinnedFiles {
  /** Writes a file's bytes; those of a source without versions may be others than the pinned ones. */
  write(origin: Origin, target: string): Promise<Written>;
  /** True where a file must have come before the next is asked for. */
  oneByOne?: true;
  close(): Promise<void>;
}

/** `location` says with what access; which file is read, its origin says. */
export async function openPinned(context: SourceContext, location: ArtifactLocation): Promise<PinnedFiles> {
  const { paths, timing } = context;
  const uri = parseUri(location.uri);
  const fromBodies = (open: (origin: Origin) => Promise<Body>, close: () => Promise<void>): PinnedFiles => ({
    write: async (origin, target) => writeBody(await open(origin), target, timing),
    close,
  });
  if (uri.kind === "mounted") {
    return fromBodies(
      (origin) => openMounted(mountedAt(paths.source, location.mount), origin),
      async () => {},
    );
  }
  const network = await openNetwork(context, location);
  switch (uri.kind) {
    case "http":
      return openPinnedHttp(network, uri.url, timing);
    case "oci":
      return openPinnedOci(network, uri.address, timing);
    case "git":
      return openPinnedGit(context, network, uri.address);
    case "bucket": {
      const store = await openBucket(uri.bucket, location, { network, timing });
      const open = async ({ uri: pinned, etag, version }: Origin) => {
        const parsed = parseUri(pinned);
        if (parsed.kind !== "bucket" || !isDeepStrictEqual(parsed.bucket, uri.bucket)) {
          throw permanent("SourceChanged", `${pinned} was pinned when the source was another bucket`);
        }
        return { ...(await store.open({ key: parsed.key, etag, version })), label: pinned };
      };
      return fromBodies(open, () => store.close());
    }
    case "postgres":
      throw permanent("SourceInvalid", `${redact(location.uri)} keeps no versions that could be read again`);
  }
}

async function openMounted(mount: string, { uri }: Origin): Promise<Body> {
  const parsed = parseUri(uri);
  if (parsed.kind !== "mounted") throw permanent("SourceChanged", `${uri} was pinned when the source was no volume`);
  const found = await findMounted(mount, { ...parsed, label: uri }, { into: "", wanted: () => true });
  const local = "files" in found && !found.folder ? found.files[0]?.local : undefined;
  if (!local) throw permanent("SourceNotFound", `${uri} is no file any more`);
  return { stream: createReadStream(local), length: (await stat(local)).size, label: uri };
}
