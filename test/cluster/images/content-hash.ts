import { createHash, type Hash } from "node:crypto";
import { createReadStream, existsSync, globSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join, matchesGlob, normalize, relative } from "node:path";
import { pipeline } from "node:stream/promises";

/** Digest of the files that `sources` (patterns of COPY) name in a context folder: paths, modes and content. */
export async function contentHash(
  context: string,
  sources: readonly string[],
  ignored: readonly string[],
): Promise<string> {
  const hash = createHash("sha256");
  const isIgnored = ignoreRule(ignored);
  const roots = sources.flatMap((source) => filesOf(context, source));
  for (const root of [...new Set(roots)].sort()) await addPath(hash, context, join(context, root), isIgnored);
  return hash.digest("hex");
}

function filesOf(context: string, source: string): string[] {
  const pattern = normalize(`./${source}`);
  if (!/[*?[]/.test(pattern)) return existsSync(join(context, pattern)) ? [pattern] : [];
  // In a Dockerfile, unlike here, a leading * matches a leading dot.
  return globSync([pattern, pattern.replace(/(^|\/)\*/g, "$1.*")], { cwd: context });
}

async function addPath(hash: Hash, context: string, path: string, isIgnored: (path: string) => boolean): Promise<void> {
  const name = relative(context, path);
  if (name && isIgnored(name)) return;
  const stat = lstatSync(path);
  hash.update(`\0${name}\0${stat.isDirectory() ? "dir" : stat.mode.toString(8)}\0`);
  if (stat.isSymbolicLink()) {
    hash.update(readlinkSync(path));
  } else if (stat.isDirectory()) {
    for (const entry of readdirSync(path).sort()) await addPath(hash, context, join(path, entry), isIgnored);
  } else if (stat.isFile()) {
    hash.update(`${stat.size}\0`);
    await pipeline(createReadStream(path), async (chunks) => {
      for await (const chunk of chunks) hash.update(chunk as Buffer);
    });
  }
}

/** Whether a path is left out by the patterns of a .dockerignore: the last one that matches decides, and `!` takes back in. */
export function ignoreRule(patterns: readonly string[]): (path: string) => boolean {
  const rules = patterns.map((pattern) => {
    const takesBack = pattern.startsWith("!");
    const glob = pattern.replace(/^!/, "").replace(/^\/+/, "").replace(/\/+$/, "");
    return { takesBack, glob };
  });
  // A folder that a later pattern reaches into must be walked, or what is taken back is never seen.
  const mayHoldTaken = (path: string) =>
    rules.some(({ takesBack, glob }) => takesBack && (glob.startsWith(`${path}/`) || glob.startsWith("**")));
  return (path) => {
    let ignored = false;
    for (const { takesBack, glob } of rules) {
      if (matchesGlob(path, glob) || matchesGlob(path, `${glob}/**`)) ignored = !takesBack;
    }
    return ignored && !mayHoldTaken(path);
  };
}

/** The ignore file that a build of this Dockerfile uses: its own, or else the context's. */
export function findIgnoreFile(dockerfile: string, context: string): string | undefined {
  return [`${dockerfile}.dockerignore`, join(context, ".dockerignore")].find((path) => existsSync(path));
}

export function readIgnoreFile(path: string | undefined): string[] {
  if (!path) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
}
