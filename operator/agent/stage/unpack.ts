import { once } from "node:events";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { Parser, type ReadEntry, Unpack } from "tar";
import { relativePath } from "../../store/api.ts";
import { clip, errorCode, errorText, permanent, TaskError } from "../failure.ts";

export interface Limits {
  /** Of the unpacked archive. */
  bytes: number;
  entries: number;
}
export const defaultLimits: Limits = { bytes: 2 ** 30, entries: 100_000 };

const files = new Set(["File", "OldFile", "ContiguousFile"]);

/**
 * Unpacks what lies under `folder` in a tar.gz ("": all of it). The whole archive is read before anything is written:
 * one that holds a link, a device, or a path that leads out is refused. Throws SourceInvalid for such an archive,
 * SourceNotFound when the folder is not in it.
 */
export async function unpackArchive(
  archive: string,
  { into, folder }: { into: string; folder: string },
  limits = defaultLimits,
): Promise<void> {
  try {
    const look = new Admission(folder, limits);
    await pour(archive, new Parser({ ...parsing, ...look.options, onReadEntry: (entry) => entry.resume() }), look);
    if (look.taken === 0) throw nothingIn(folder);
    const take = new Admission(folder, limits);
    await pour(archive, new Unpack({ ...parsing, ...take.options, cwd: into, preserveOwner: false }), take);
  } catch (error) {
    throw asRefusal(error);
  }
}

const parsing = { strict: true, processUmask: 0o022 };

/** Decides on each entry of an archive. What is thrown inside of the parser would not come out of it: it is kept. */
class Admission {
  taken = 0;
  refusal: unknown;
  readonly limits: Limits;
  readonly #folder: string;
  #entries = 0;

  constructor(folder: string, limits: Limits) {
    this.#folder = folder;
    this.limits = limits;
  }

  readonly options = {
    filter: (_path: string, entry: unknown): boolean => {
      try {
        return this.refusal === undefined && this.#admit(entry as ReadEntry);
      } catch (error) {
        this.refusal = error;
        return false;
      }
    },
  };

  #admit(entry: ReadEntry): boolean {
    if (++this.#entries > this.limits.entries) throw refused(`holds more than ${this.limits.entries} entries`);
    const inside = pathInside(checkedPath(entry), this.#folder);
    if (inside === undefined) return false;
    if (inside === "") {
      if (files.has(entry.type)) throw refused(`has a file, not a folder, at ${JSON.stringify(this.#folder)}`);
      return false;
    }
    this.taken++;
    entry.path = inside;
    entry.mode = entry.type === "Directory" || ((entry.mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644;
    return true;
  }
}

async function pour(archive: string, tar: Parser, admission: Admission): Promise<void> {
  tar.on("error", (error) => {
    admission.refusal ??= error;
  });
  const closed = once(tar, "close");
  closed.catch(() => undefined);
  let bytes = 0;
  // Whoever leaves the loop ends both; what breaks either comes out of it.
  const plain = pipeline(createReadStream(archive), createGunzip(), () => undefined) as AsyncIterable<Buffer>;
  for await (const chunk of plain) {
    bytes += chunk.length;
    if (bytes > admission.limits.bytes) throw refused(`unpacks to more than ${admission.limits.bytes} bytes`);
    const ready = tar.write(chunk);
    if (admission.refusal !== undefined) throw admission.refusal;
    if (!ready) await Promise.race([once(tar, "drain"), closed]);
  }
  tar.end();
  await closed;
  if (admission.refusal !== undefined) throw admission.refusal;
}

function nothingIn(folder: string): TaskError {
  const what = folder
    ? `the commit has no folder ${JSON.stringify(folder)}, or nothing is in it`
    : "the commit is empty";
  return permanent("SourceNotFound", `${what}: correct spec.code.gitRepositoryRef.path`);
}

/** The entry's path without `./` before it and `/` after it; "" is the archive's root. */
function checkedPath({ type, path }: ReadEntry): string {
  const shown = JSON.stringify(clip(path, 200));
  if (!files.has(type) && type !== "Directory") {
    throw refused(`holds ${shown}, a ${type}: only files and folders are taken`);
  }
  const plain = path.replace(/^(\.\/)+/, "").replace(/\/$/, "");
  if (plain === "" || plain === ".") return "";
  if (!relativePath.safeParse(plain).success) throw refused(`holds ${shown}, which is no path inside of it`);
  return plain;
}

/** The path below a folder; undefined when it is not there. */
function pathInside(path: string, folder: string): string | undefined {
  if (folder === "") return path;
  if (path === folder) return "";
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
}

function refused(why: string): TaskError {
  return permanent("SourceInvalid", `the commit's archive ${why}`);
}

/** The node's own trouble stays what it is; what zlib and tar say is about the archive. */
function asRefusal(error: unknown): unknown {
  const code = errorCode(error) ?? "";
  const isArchive = code.startsWith("Z_") || code.startsWith("TAR_") || (error as { tarCode?: string })?.tarCode;
  return error instanceof TaskError || !isArchive ? error : refused(`can't be read: ${errorText(error)}`);
}
