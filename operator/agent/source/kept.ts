import type { DatasetVersionDetail } from "../../store/api.ts";
import type { FindKept } from "./fetch.ts";

/** Finds what a version of the format Files has of a source's file, by the path and the ETag that it has there. */
export function keptFiles({ files, etags = {}, origins = [] }: DatasetVersionDetail): FindKept {
  const inSource = (path: string) => path.slice(path.indexOf("/") + 1);
  const entries = new Map(files.map(({ path, ...content }) => [inSource(path), content]));
  const pins = new Map(origins.map((origin) => [inSource(origin.path), { ...origin, path: inSource(origin.path) }]));
  return (path, etag) => {
    const [content, origin] = [entries.get(path), pins.get(path)];
    const isSame = etag !== "" && etag === (origin?.etag ?? etags[path]);
    return content && isSame ? { ...content, origin } : undefined;
  };
}
