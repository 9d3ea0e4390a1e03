/** Where a pod reads bytes from, as its task names it. */
import type { ArtifactLocation } from "../../agent/tasks.ts";
import type { PodSettings } from "./pod.ts";

/** A source or import as a manifest has it. */
export interface Source {
  uri: string;
  endpoint?: string | undefined;
  region?: string | undefined;
  ref?: string | undefined;
  path?: string | undefined;
  query?: string | undefined;
  secretRef?: { name: string } | undefined;
}

/** A source whose Secret and volume are mounted under a name of their own, beside those of others. */
export interface MountedSource extends Source {
  mount?: string | undefined;
}

export function locationOf(source: MountedSource, { deniedRanges }: PodSettings): ArtifactLocation {
  const { uri, endpoint, region, ref, path, query, secretRef, mount } = source;
  return {
    uri,
    secret: secretRef !== undefined,
    ...(mount ? { mount } : {}),
    ...(endpoint ? { endpoint } : {}),
    ...(region ? { region } : {}),
    ...(ref ? { ref } : {}),
    ...(path ? { path } : {}),
    ...(query ? { query } : {}),
    ...(deniedRanges.length > 0 ? { deniedRanges: [...deniedRanges] } : {}),
  };
}
