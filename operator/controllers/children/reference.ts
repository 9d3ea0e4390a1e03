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

export const noReferences: References = { sources: new Map(), volumes: [], mounts: [] };

/** What the container that reads this Dataset needs beside the store. */
export function referenceTo({ metadata, spec }: Dataset): References {
  if (spec.storage !== "Reference" || !spec.source) return noReferences;
  const { uri, secretRef } = spec.source;
  return { sources: new Map([[metadata.name, spec.source]]), ...sourceAccess(uri, secretRef?.name) };
}

/** What the one container that reads these Datasets needs beside the store. It has room for one Secret and one volume. */
export function referencesTo(datasets: readonly Dataset[]): References | Verdict {
  const sources = new Map<string, Source>();
  const volumes = new Map<string, { volume: Volume; dataset: string }>();
  const mounts = new Map<string, Mount>();
  for (const dataset of datasets) {
    const { name } = dataset.metadata;
    const own = referenceTo(dataset);
    for (const [of, source] of own.sources) sources.set(of, source);
    for (const volume of own.volumes) {
      const other = volumes.get(volume.name);
      if (other && JSON.stringify(other.volume) !== JSON.stringify(volume)) {
        const what = volume.name === "secret" ? "Secrets" : "volumes";
        const message = `Datasets ${other.dataset} and ${name} are stored by reference with different ${what}, and a pod reads with one: use the same, or storage: Copy`;
        return { state: "stalled", reason: "SourcesConflict", message };
      }
      volumes.set(volume.name, { volume, dataset: name });
    }
    for (const mount of own.mounts) mounts.set(mount.name, mount);
  }
  return { sources, volumes: [...volumes.values()].map(({ volume }) => volume), mounts: [...mounts.values()] };
}
