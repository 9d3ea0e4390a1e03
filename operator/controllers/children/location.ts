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

export function locationOf(source: Source, { deniedRanges }: PodSettings): ArtifactLocation {
  const { uri, endpoint, region, ref, path, query, secretRef } = source;
  return {
    uri,
    secret: secretRef !== undefined,
    ...(endpoint ? { endpoint } : {}),
    ...(region ? { region } : {}),
    ...(ref ? { ref } : {}),
    ...(path ? { path } : {}),
    ...(query ? { query } : {}),
    ...(deniedRanges.length > 0 ? { deniedRanges: [...deniedRanges] } : {}),
  };
}
