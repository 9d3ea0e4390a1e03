/** tar.gz archives, entry by entry, also such as no tool would write. */
import { gzipSync } from "node:zlib";
import { Header } from "tar";

export interface Entry {
  path: string;
  content?: string;
  /** Default: a File. */
  type?: "File" | "Directory" | "SymbolicLink" | "Link" | "CharacterDevice" | "FIFO";
  linkpath?: string;
  mode?: number;
}

export function tarGz(...entries: Entry[]): Buffer {
  return gzipSync(Buffer.concat([...entries.map(blocks), Buffer.alloc(1024)]));
}

function blocks({ path, content = "", type = "File", linkpath = "", mode = 0o644 }: Entry): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  new Header({ path, type, linkpath, mode, size: body.length, mtime: new Date(0), uid: 0, gid: 0 }).encode(header);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
