import { type Hash, hash } from "node:crypto";

/** `sha256:` and the lower-case hex of the sha256 of a text or of bytes. */
export function sha256(content: string | Uint8Array): string {
  return `sha256:${hash("sha256", content)}`;
}

/** The same of what a sha256 was given piece by piece. */
export function digestOf(hash: Hash): string {
  return `sha256:${hash.digest("hex")}`;
}

/** The digest of a JSON value, the same whatever order its keys were written in; undefined members do not count. */
export function jsonDigest(value: unknown): string {
  return sha256(JSON.stringify(value, sortKeys));
}

/** The digest of a ConfigMap's code: its file names, and the contents in base64. */
export function codeDigest(files: Readonly<Record<string, string>>): string {
  return jsonDigest(files);
}

/** The first ten hex digits of a digest: enough to name the few children of one object. */
export function shortDigest(digest: string): string {
  return digest.slice("sha256:".length, "sha256:".length + 10);
}

function sortKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
