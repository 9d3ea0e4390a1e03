/** Versions with storage: Reference are read where their Dataset's source has them, with that source's credentials. */
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { Verdict } from "../verdict.ts";
import type { Source } from "./location.ts";
import { type Mount, sourceAccess, type Volume } from "./pod.ts";

export interface References {
  /** The sources of those Datasets that are stored by reference, by the Dataset's name. */
  sources: ReadonlyMap<string, Source>;
  volumes: readonly Volume[];
  mounts: readonly Mount[];
}

/** What the one container that reads these Datasets needs beside the store. It has room for one Secret and one volume. */
export function referencesTo(datasets: readonly Dataset[]): References | Verdict {
  const sources = new Map<string, Source>();
  const volumes = new Map<string, { volume: Volume; dataset: string }>();
  const mounts = new Map<string, Mount>();
  for (const { metadata, spec } of datasets) {
    if (spec.storage !== "Reference" || !spec.source) continue;
    sources.set(metadata.name, spec.source);
    const access = sourceAccess(spec.source.uri, spec.source.secretRef?.name);
    for (const volume of access.volumes) {
      const other = volumes.get(volume.name);
      if (other && JSON.stringify(other.volume) !== JSON.stringify(volume)) {
        const what = volume.name === "secret" ? "Secrets" : "volumes";
        const message = `Datasets ${other.dataset} and ${metadata.name} are stored by reference with different ${what}, and a pod reads with one: use the same, or storage: Copy`;
        return { state: "stalled", reason: "SourcesConflict", message };
      }
      volumes.set(volume.name, { volume, dataset: metadata.name });
    }
    for (const mount of access.mounts) mounts.set(mount.name, mount);
  }
  return { sources, volumes: [...volumes.values()].map(({ volume }) => volume), mounts: [...mounts.values()] };
}
