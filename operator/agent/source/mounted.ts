import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { checkPath, type LocalFile } from "../artifact/files.ts";
import { errorCode, permanent } from "../failure.ts";

/** A pvc or configmap source: the files stay where they are mounted. */
export async function findMounted(
  mount: string,
  path: string,
  label: string,
): Promise<{ files: LocalFile[]; folder: boolean }> {
  const root = await resolve(mount, label);
  const target = await resolve(join(root, path), label);
  refuseOutside(root, target, label);
  if (!(await stat(target)).isDirectory()) {
    return {
      files: [{ path: checkPath(path.split("/").at(-1) ?? "", "SourceInvalid"), local: target }],
      folder: false,
    };
  }
  const files: LocalFile[] = [];
  const visit = async (folder: string) => {
    for (const entry of await readdir(join(target, folder), { withFileTypes: true }).catch(readError(label))) {
      // ConfigMap mounts keep their generations in `..data` and `..2026_…`; file systems their finds in lost+found.
      if (entry.name.startsWith("..") || entry.name === "lost+found") continue;
      const relative = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory()) {
        await visit(relative);
        continue;
      }
      const local = await resolve(join(target, relative), label);
      refuseOutside(root, local, label);
      if (!(await stat(local)).isFile()) {
        throw permanent("SourceInvalid", `${label}: ${relative} is not a regular file`);
      }
      files.push({ path: checkPath(relative, "SourceInvalid"), local });
    }
  };
  await visit("");
  return { files, folder: true };
}

async function resolve(path: string, label: string): Promise<string> {
  return realpath(path).catch(readError(label));
}

function refuseOutside(root: string, path: string, label: string): void {
  if (path === root || path.startsWith(root + sep)) return;
  throw permanent("SourceForbidden", `${label}: a link leads out of the volume; put the files themselves there`);
}

function readError(label: string): (error: unknown) => never {
  return (error) => {
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
  };
}
