/** What a look at a mounted file asks is asked at once: through another thread it would take ten times as long. */
import { readdirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { checkPath, describeFile, type LocalFile } from "../artifact/files.ts";
import { errorCode, permanent, transient } from "../failure.ts";
import type { Fetched, FetchOptions, Unchanged } from "./fetch.ts";
import { type Listed, listingState } from "./listing.ts";

interface Target {
  /** Under the mount; empty is all of it. */
  path: string;
  /** How messages name the source. */
  label: string;
}

/** A pvc or configmap source: the files stay where they are mounted. Its state is their list with sizes and times of change. */
export async function findMounted(
  mount: string,
  target: Target,
  { wanted, known }: FetchOptions,
): Promise<Fetched | Unchanged> {
  const { files, folder } = find(mount, target);
  const kept = folder ? files.filter(({ path }) => wanted(path)) : files;
  // A ConfigMap's files are new ones in each pod, and small.
  const describe = target.label.startsWith("configmap:") ? describeContent : describeChange;
  const stateOf = async () => {
    const listing = [];
    for (const file of kept) listing.push(await describe(file));
    return listingState(listing);
  };
  const state = await stateOf();
  if (state === known) return { unchanged: true, state };
  const base = target.label.replace(/\/+$/, "");
  const origins = kept.map(({ path }) => ({ path, uri: folder ? `${base}/${path}` : target.label }));
  const verify = async () => {
    if ((await stateOf().catch(() => undefined)) === state) return;
    throw transient("SourceChanged", `${target.label} changed while it was read: it is read again`);
  };
  return { files: kept, folder, state, origins, verify };
}

async function describeContent(file: LocalFile): Promise<Listed> {
  const { path, size, digest } = await describeFile(file);
  return { path, size, version: digest };
}

function describeChange({ path, local }: LocalFile): Listed {
  const { size, mtimeNs, ctimeNs, ino } = statSync(local, { bigint: true });
  return { path, size: Number(size), version: `${mtimeNs} ${ctimeNs} ${ino}` };
}

function find(mount: string, { path, label }: Target): { files: LocalFile[]; folder: boolean } {
  const root = resolve(mount, label);
  const target = resolve(join(root, path), label);
  refuseOutside(root, target, label);
  const found = statSync(target);
  if (found.isFile()) {
    const name = checkPath(path.split("/").at(-1) ?? "", "SourceInvalid");
    return { files: [{ path: name, local: target, size: found.size }], folder: false };
  }
  if (!found.isDirectory()) throw permanent("SourceInvalid", `${label} is neither a regular file nor a folder`);
  const files: LocalFile[] = [];
  const visit = (folder: string) => {
    for (const entry of read(label, () => readdirSync(join(target, folder), { withFileTypes: true }))) {
      // ConfigMap mounts keep their generations in `..data` and `..2026_…`; file systems their finds in lost+found.
      if (entry.name.startsWith("..") || entry.name === "lost+found") continue;
      const relative = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory()) {
        visit(relative);
        continue;
      }
      const local = resolve(join(target, relative), label);
      refuseOutside(root, local, label);
      const file = statSync(local);
      if (!file.isFile()) throw permanent("SourceInvalid", `${label}: ${relative} is not a regular file`);
      files.push({ path: checkPath(relative, "SourceInvalid"), local, size: file.size });
    }
  };
  visit("");
  return { files, folder: true };
}

function resolve(path: string, label: string): string {
  return read(label, () => realpathSync.native(path));
}

function refuseOutside(root: string, path: string, label: string): void {
  if (path === root || path.startsWith(root + sep)) return;
  throw permanent("SourceForbidden", `${label}: a link leads out of the volume; put the files themselves there`);
}

function read<Result>(label: string, look: () => Result): Result {
  try {
    return look();
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR")
      throw permanent("SourceNotFound", `${label} does not exist: check the uri`);
    if (code === "EACCES" || code === "EPERM") {
      throw permanent(
        "SourceForbidden",
        `${label} may not be read by user ${process.getuid?.()}: make it readable for its group or for all`,
      );
    }
    throw error;
  }
}
