/** Versions with storage: Reference are read where their Dataset's source has them, with that source's credentials. */
import type { Dataset } from "../../api/v1alpha1/dataset.ts";
import type { MountedSource } from "./location.ts";
import { type Mount, sourceAccess, type Volume } from "./pod.ts";

export interface References {
  /** The sources of those Datasets that are stored by reference, by the Dataset's name. */
  sources: ReadonlyMap<string, MountedSource>;
  volumes: readonly Volume[];
  mounts: readonly Mount[];
}

/** What the one container that reads these Datasets needs beside the store. Sources with the same Secret and volume share them. */
export function referencesTo(datasets: readonly Dataset[]): References {
  const sources = new Map<string, MountedSource>();
  const [volumes, mounts]: [Volume[], Mount[]] = [[], []];
  /** By what is mounted: under which name. */
  const known = new Map<string, string | undefined>();
  for (const { metadata, spec } of datasets) {
    const { source, storage } = spec;
    if (storage !== "Reference" || !source) continue;
    const access = (mount?: string) => sourceAccess(source.uri, source.secretRef?.name, mount);
    const needed = access().volumes;
    const key = JSON.stringify(needed);
    if (needed.length > 0 && !known.has(key)) {
      const mount = known.size === 0 ? undefined : String(known.size + 1);
      known.set(key, mount);
      volumes.push(...access(mount).volumes);
      mounts.push(...access(mount).mounts);
    }
    sources.set(metadata.name, { ...source, mount: known.get(key) });
  }
  return { sources, volumes, mounts };
}
