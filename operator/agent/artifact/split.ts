import { join } from "node:path";
import type { DatasetVersionDetail } from "../../store/api.ts";
import type { AgentContext } from "../context.ts";
import { permanent } from "../failure.ts";
import type { ArtifactLocation } from "../tasks.ts";
import type { LocalFile } from "./files.ts";
import { placeFiles } from "./place.ts";
import { placeReferences } from "./reference.ts";

interface SplitRequest {
  namespace: string;
  dataset: string;
  version: DatasetVersionDetail;
  /** `all` where the version has no splits. */
  split: string;
  /** Where the files go, without their split's folder. */
  folder: string;
  /** Of the dataset; needed for a version that is stored by reference. */
  location: ArtifactLocation | undefined;
}

/**
 * Brings the files of a version's split into a folder, each verified, wherever they are: in the store, or still at the
 * source. Files that are there and right are kept. Empty where the version has no such split.
 */
export async function placeSplit(
  context: AgentContext,
  { namespace, dataset, version, split, folder, location }: SplitRequest,
): Promise<LocalFile[]> {
  const prefix = `${split}/`;
  const files = version.files
    .filter(({ path }) => path.startsWith(prefix))
    .map((entry) => ({ entry, target: entry.path.slice(prefix.length) }));
  if (!version.origins) {
    await placeFiles(context, namespace, { folder, files });
  } else if (location) {
    const pinned = `version ${version.version} of Dataset ${dataset}`;
    await placeReferences(context, location, { folder, files, origins: version.origins, pinned });
  } else {
    throw permanent(
      "InternalError",
      `Dataset ${dataset} is stored by reference, and the task does not say where it is`,
    );
  }
  return files.map(({ entry: { size, digest }, target }) => ({
    path: target,
    local: join(folder, target),
    size,
    digest,
  }));
}
