import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join, resolve } from "node:path";
import { cacheDir } from "../layout.ts";
import { ensurePrograms, imagePrograms, requireRoot } from "../os/host.ts";
import { withLock } from "../os/lock.ts";
import { type Log, type LogOptions, silent, withProgress } from "../progress.ts";
import { type BuildInput, bud, buildah, imageLock } from "./buildah.ts";
import { contentHash, findIgnoreFile, readIgnoreFile } from "./content-hash.ts";
import { readDockerfile } from "./dockerfile.ts";
import { fileName, fullReference } from "./reference.ts";
import { ensureStandIn, standInKey } from "./stand-ins.ts";

export interface ImageInput extends LogOptions {
  /** Name that pods use; `imagePullPolicy` must be IfNotPresent or Never. */
  tag: string;
  /** Path of the Dockerfile. */
  dockerfile: string;
  /** Folder that COPY and ADD read from. */
  context: string;
  buildArgs?: Record<string, string>;
}

/** An image as a file. */
export interface BuiltImage {
  /** Full name, with registry and tag. */
  reference: string;
  /** Path of the OCI archive in the cache. */
  archive: string;
  /** Digest of all that went into the image. */
  key: string;
}

/**
 * Builds an image from a Dockerfile without a registry or Docker. Dockerfiles need nothing special: where one says
 * `FROM docker.io/library/node:24-bookworm-slim` or `…/python:3.11-slim-bookworm`, a stand-in of that name made here is used. Same inputs
 * (Dockerfile, files it copies, arguments, base), same archive: nothing is built twice.
 */
export async function buildImage({
  tag,
  dockerfile,
  context,
  buildArgs = {},
  log = silent,
}: ImageInput): Promise<BuiltImage> {
  requireRoot();
  await ensurePrograms(imagePrograms, log);
  const input: BuildInput = {
    tag: fullReference(tag),
    dockerfile: resolve(dockerfile),
    context: resolve(context),
    buildArgs,
  };
  const ignoreFile = findIgnoreFile(input.dockerfile, input.context);
  if (ignoreFile) input.ignoreFile = ignoreFile;
  const { key, bases } = await readInputs(input);
  const folder = join(cacheDir(), "images", fileName(input.tag));
  const archive = join(folder, `${key}.tar`);
  const build = async () => {
    if (existsSync(archive)) return;
    for (const base of bases) await ensureStandIn(base, log);
    await withProgress(log, `building ${input.tag}`, () => buildArchive(input, archive, log));
    dropOld(folder);
  };
  if (!existsSync(archive)) await withLock(imageLock(), build, () => log("waiting for another image build"));
  utimesSync(archive, new Date(), new Date());
  return { reference: input.tag, archive, key };
}

/** The digest of all that goes into an image, and the bases that must be there to build it. */
async function readInputs(input: BuildInput): Promise<{ key: string; bases: string[] }> {
  const text = readFileSync(input.dockerfile, "utf8");
  const { bases: named, sources } = readDockerfile(text, input.buildArgs);
  const bases = named.map(fullReference);
  const baseKeys = bases.map(standInKey);
  const content = await contentHash(input.context, sources, readIgnoreFile(input.ignoreFile));
  const everything = JSON.stringify([input.tag, text, baseKeys, Object.entries(input.buildArgs).sort(), content]);
  return { key: createHash("sha256").update(everything).digest("hex").slice(0, 16), bases };
}

async function buildArchive(input: BuildInput, archive: string, log: Log): Promise<void> {
  mkdirSync(join(archive, ".."), { recursive: true });
  await bud(input, log);
  const partial = `${archive}.partial`;
  rmSync(partial, { force: true });
  await buildah(["push", "--disable-compression", input.tag, `oci-archive:${partial}:${input.tag}`]);
  renameSync(partial, archive);
  await buildah(["rmi", "--prune"]);
}

/** Archives are large: of each image the two used last stay, enough to switch between two branches. */
function dropOld(folder: string): void {
  const newestFirst = readdirSync(folder)
    .map((file) => join(folder, file))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const file of newestFirst.slice(2)) rmSync(file, { force: true });
}
