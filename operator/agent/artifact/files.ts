import { createHash } from "node:crypto";
import { lstatSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "../../api/digest.ts";
import { type FileEntry, relativePath } from "../../store/api.ts";
import { bytesOf } from "../../store/read-file.ts";
import { permanent } from "../failure.ts";
import type { TaskFailure } from "../tasks.ts";

/** A file's size and content address. */
export async function hashFile(file: string): Promise<{ digest: string; size: number }> {
  const hash = createHash("sha256");
  let size = 0;
  const { pieces } = await bytesOf(file);
  for await (const piece of pieces) {
    hash.update(piece);
    size += piece.length;
  }
  return { digest: digestOf(hash), size };
}

/** A local file, and what messages call it. */
export interface NamedFile {
  path: string;
  local: string;
}

/** A local file and the path that it has in its version. */
export interface LocalFile extends NamedFile {
  /** When it was found or written. */
  size: number;
  /** Where it was computed when the file was written, so that it need not be read again. */
  digest?: string;
  /** True when the store has the bytes, which need not be here any more. */
  stored?: true;
}

export function sized(file: NamedFile): LocalFile {
  return { ...file, size: statSync(file.local).size };
}

export async function describeFile({ path, local, size, digest }: LocalFile): Promise<FileEntry> {
  return digest !== undefined ? { path, size, digest } : { path, ...(await hashFile(local)) };
}

export async function hasContent(file: string, { size, digest }: Pick<FileEntry, "size" | "digest">): Promise<boolean> {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size !== size) return false;
  return (await hashFile(file)).digest === digest;
}

/** All files under a folder, by path. Links and special files are refused: they do not survive a copy. */
export async function listTree(root: string, reason: TaskFailure["reason"]): Promise<LocalFile[]> {
  const found: LocalFile[] = [];
  const visit = async (folder: string) => {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT" && folder === "") return [];
      throw error;
    });
    for (const entry of entries) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isFile()) found.push(sized({ path: checkPath(path, reason), local: join(root, path) }));
      else throw permanent(reason, `${join(root, path)} is a link or a special file: write a regular file instead`);
    }
  };
  await visit("");
  return found.sort(byPath);
}

export function checkPath(path: string, reason: TaskFailure["reason"]): string {
  const parsed = relativePath.safeParse(path);
  if (parsed.success) return path;
  const shown = JSON.stringify(path.slice(0, 200));
  throw permanent(
    reason,
    `the file name ${shown} ${parsed.error.issues[0]?.message ?? "is not allowed"}: rename the file`,
  );
}

export function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
