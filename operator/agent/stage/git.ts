import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AgentContext } from "../context.ts";
import { fetchArchive } from "../source/archive.ts";
import type { GitCode } from "../tasks.ts";
import { unpackArchive } from "./unpack.ts";

/** Puts a commit's files where the training container finds them, when they are those that the run is named by. */
export async function stageGit(context: AgentContext, { path, ...artifact }: GitCode): Promise<void> {
  const { paths } = context;
  const archive = join(paths.work, "code.tar.gz");
  await fetchArchive(artifact, archive, context);
  await mkdir(paths.code, { recursive: true });
  // What an earlier try left may be half of it.
  for (const name of await readdir(paths.code)) await rm(join(paths.code, name), { recursive: true, force: true });
  await unpackArchive(archive, { into: paths.code, folder: path });
  await rm(archive);
}
