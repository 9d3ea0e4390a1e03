import { sha256 } from "../../api/digest.ts";
import { byPath } from "../artifact/files.ts";

/** A file as its source lists it. */
export interface Listed {
  path: string;
  size: number;
  /** An ETag, a version, a time: another one is another content. */
  version: string;
}

/** Names what a listing says: sha256 of its files by path, with version and size. */
export function listingState(listing: readonly Listed[]): string {
  const rows = [...listing].sort(byPath).map(({ path, version, size }) => [path, version, size]);
  return sha256(JSON.stringify(rows));
}
