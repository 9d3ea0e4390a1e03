/** What every part of the store's contract is made of: digests, names, and lists of files. */
import { z } from "zod";
import { sha256 } from "../api/digest.ts";

/** A content address: sha256 in lower-case hex. */
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** A name that Kubernetes accepts for an object or a namespace (RFC 1123 subdomain). */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

/** A path inside a version: relative, without `.` or `..` segments, empty segments or control characters. */
export const relativePath = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (path) =>
      path.split("/").every((part) => part !== "" && part !== "." && part !== "..") &&
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
      !/[\u0000-\u001f\\]/.test(path),
    "must be a relative path without . or .. segments",
  );

/** What a file holds, whatever it is called. */
export const content = z.strictObject({ size: z.int().min(0), digest });
export type Content = z.infer<typeof content>;

export const fileEntry = content.extend({ path: relativePath });
export type FileEntry = z.infer<typeof fileEntry>;

export const files = z.array(fileEntry).min(1).max(10_000);

/** The digest that names a version: sha256 of the JSON list of its files, sorted by path. */
export function manifestDigest(entries: readonly FileEntry[]): string {
  const sorted = [...entries]
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .map(({ path, size, digest }) => ({ path, size, digest }));
  return sha256(JSON.stringify(sorted));
}

export const timestamp = z.iso.datetime();
