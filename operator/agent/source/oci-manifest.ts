import { z } from "zod";
import { permanent } from "../failure.ts";

/** What we can read; a registry that is asked for less may answer with something else. */
export const manifestTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.index.v1+json",
].join(", ");

const title = "org.opencontainers.image.title";

const layer = z.object({
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).optional(),
});
const manifest = z.object({ layers: z.array(layer).max(10_000) });

export interface Layer {
  title: string;
  digest: string;
  size: number;
}

/** The layers that are files. An index (of images for several platforms) and an image without names are SourceInvalid. */
export function parseManifest(bytes: Buffer, label: string): Layer[] {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw permanent("SourceInvalid", `${label}: the registry's manifest is no JSON`);
  }
  const parsed = manifest.safeParse(json);
  if (!parsed.success) {
    throw permanent("SourceInvalid", `${label} is no artifact with layers: push one with oras push or a like tool`);
  }
  const layers = parsed.data.layers.flatMap(({ digest, size, annotations }) =>
    annotations?.[title] === undefined ? [] : [{ title: annotations[title], digest, size }],
  );
  if (layers.length === 0) {
    throw permanent("SourceInvalid", `${label} has no layer with the annotation ${title}: push it with oras push`);
  }
  const names = layers.map(({ title }) => title);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw permanent("SourceInvalid", `${label} has two layers named ${JSON.stringify(twice)}`);
  return layers;
}
