import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, tryRun } from "../command.ts";
import { cacheDir } from "../layout.ts";
import type { Log } from "../progress.ts";

export const buildRunDir = "/run/lemnis-buildah";

/** One build at a time: they share buildah's storage. */
export function imageLock(): string {
  return join(cacheDir(), "images.lock");
}

/** Runs buildah on a storage of our own, so that images of ours never mix with the user's. */
export function buildah(args: readonly string[], onLine?: Log): Promise<string> {
  const storage = ["--root", join(cacheDir(), "buildah"), "--runroot", buildRunDir];
  return run("buildah", [...storage, ...args], onLine ? { onLine } : {});
}

export async function hasImage(reference: string): Promise<boolean> {
  try {
    await buildah(["inspect", "--type", "image", "--format", "{{.FromImageID}}", reference]);
    return true;
  } catch {
    return false;
  }
}

export interface BuildInput {
  tag: string;
  dockerfile: string;
  context: string;
  buildArgs: Record<string, string>;
  ignoreFile?: string;
  /** Labels on the image. */
  labels?: Record<string, string>;
}

/** Builds a Dockerfile into the storage. Nothing is pulled: every base must be in the storage already. */
export async function bud(
  { tag, dockerfile, context, buildArgs, ignoreFile, labels = {} }: BuildInput,
  log: Log,
): Promise<void> {
  const settings = mkdtempSync(join(tmpdir(), "lemnis-build-"));
  try {
    const mounts = await registrySettings(settings);
    const args = Object.entries(buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
    const marks = Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
    const ignore = ignoreFile ? ["--ignorefile", ignoreFile] : [];
    const how = ["--isolation", "chroot", "--network", "host", "--pull-never", "--layers", "--format", "oci"];
    await buildah(
      ["bud", ...how, ...mounts, ...args, ...marks, ...ignore, "--tag", tag, "--file", dockerfile, context],
      (line) => {
        if (/STEP \d/.test(line)) log(`  ${line.slice(0, 150)}`);
      },
    );
  } finally {
    rmSync(settings, { recursive: true, force: true });
  }
}

/**
 * Mounts that let pip and npm inside a build use the package indexes that this machine is set up for. They are there while the
 * build runs only: neither the image nor the repository ever names them.
 */
async function registrySettings(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const npmrc = join(folder, "npmrc");
  const pipConf = join(folder, "pip.conf");
  const registry = (await tryRun("npm", ["config", "get", "registry"], { cwd: folder }))?.trim();
  writeFileSync(npmrc, registry ? `registry=${registry}\n` : "");
  writeFileSync(pipConf, pipSettings((await tryRun("pip", ["config", "list"], { cwd: folder })) ?? ""));
  return ["--volume", `${npmrc}:/usr/local/etc/npmrc:ro`, "--volume", `${pipConf}:/etc/pip.conf:ro`];
}

/** A pip.conf with the indexes that `pip config list` printed; certificates and folders of the host mean nothing in a build. */
export function pipSettings(list: string): string {
  const wanted = ["index-url", "extra-index-url", "trusted-host"];
  const lines = list.split("\n").flatMap((line) => {
    const [, name = "", value = ""] = /^[^.]*\.([\w-]+)='(.*)'$/.exec(line) ?? [];
    return wanted.includes(name) ? [`${name} = ${value.replaceAll("\\n", "\n  ")}`] : [];
  });
  return lines.length > 0 ? `[global]\n${[...new Set(lines)].join("\n")}\n` : "";
}
