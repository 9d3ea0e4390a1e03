import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../command.ts";
import { cacheDir } from "../layout.ts";
import { type Log, withProgress } from "../progress.ts";
import { bud, buildah, hasImage } from "./buildah.ts";

const basesDir = fileURLToPath(new URL("bases", import.meta.url));
const debian = "localhost/lemnis-debian:bookworm";
const debianPackages = "ca-certificates,python3,python3-pip,python3-venv";
const npmVersion = "11.6.2";
const keyLabel = "dev.lemnis.key";

/** Base images that need no registry, by the name of the image that each stands in for. */
const standIns: Record<string, "node" | "python"> = {
  "docker.io/library/node:24-bookworm-slim": "node",
  "docker.io/library/python:3.11-slim-bookworm": "python",
};

/** Key of a stand-in, which changes when its content does. Known without making it. */
export function standInKey(reference: string): string {
  const kind = kindOf(reference);
  return digest([debianKey(), dockerfileOf(kind), kind === "node" ? `${process.version} ${npmVersion}` : ""]);
}

function debianKey(): string {
  return digest([dockerfileOf("debian"), debianPackages, readFileSync(hostCaBundle())]);
}

/** Makes the stand-in for an image when the build storage has none. */
export async function ensureStandIn(reference: string, log: Log): Promise<void> {
  await ensureImage(debian, debianKey(), () => buildDebian(log));
  const key = standInKey(reference);
  const kind = kindOf(reference);
  await ensureImage(reference, key, () =>
    withProgress(log, `making the stand-in for ${reference}`, () =>
      withFolder(async (context) => {
        if (kind === "node") await addNode(context);
        await bud({ tag: reference, ...buildOf(kind, context), labels: { [keyLabel]: key } }, log);
      }),
    ),
  );
}

function kindOf(reference: string): "node" | "python" {
  const kind = standIns[reference];
  if (!kind)
    throw new Error(
      `no registry to get ${reference} from: images can be built on ${Object.keys(standIns).join(", ")}, or scratch`,
    );
  return kind;
}

async function ensureImage(reference: string, key: string, build: () => Promise<void>): Promise<void> {
  if ((await hasImage(reference)) && (await labelOf(reference)) === key) return;
  await build();
}

async function labelOf(reference: string): Promise<string> {
  const answer = await buildah(["inspect", "--type", "image", reference]);
  const image = JSON.parse(answer) as { OCIv1?: { config?: { Labels?: Record<string, string> } } };
  return image.OCIv1?.config?.Labels?.[keyLabel] ?? "";
}

async function buildDebian(log: Log): Promise<void> {
  const tar = await ensureRootTar(log);
  await withProgress(log, "making the Debian base image", () =>
    withFolder(async (context) => {
      renameSync(tar, join(context, "rootfs.tar"));
      copyFileSync(hostCaBundle(), join(context, "ca-certificates.crt"));
      await bud({ tag: debian, ...buildOf("debian", context), labels: { [keyLabel]: debianKey() } }, log);
    }),
  );
}

/** One root for all stand-ins: it takes the longest, and images that share it share its layer in the cluster too. */
async function ensureRootTar(log: Log): Promise<string> {
  const root = join(cacheDir(), "debian-root");
  const tar = `${root}.tar`;
  rmSync(root, { recursive: true, force: true });
  await withProgress(log, "fetching Debian with debootstrap", async () => {
    await run("debootstrap", ["--variant=minbase", `--include=${debianPackages}`, "bookworm", root], {
      onLine: stepLog(log),
    });
  });
  // Device files come from the container runtime; caches of packages only cost space; empty files are where builds mount settings.
  const tidy =
    'cd "$0" && rm -rf dev/* var/cache/apt/* var/lib/apt/lists/* var/log/* && mkdir -p usr/local/etc && touch usr/local/etc/npmrc etc/pip.conf';
  await run("sh", ["-c", tidy, root]);
  await run("tar", ["--numeric-owner", "-C", root, "-cf", tar, "."]);
  rmSync(root, { recursive: true, force: true });
  return tar;
}

function stepLog(log: Log): Log {
  const said = new Set<string>();
  return (line) => {
    const step = /^I: (Retrieving|Extracting|Unpacking|Configuring)/.exec(line)?.[1]?.toLowerCase();
    if (!step || said.has(step)) return;
    said.add(step);
    log(`  ${step} packages`);
  };
}

/** Node is the very program that runs this; npm comes from the npm registry, as the `node` package has none. */
async function addNode(context: string): Promise<void> {
  copyFileSync(process.execPath, join(context, "node"));
  const [line = "[]"] = [
    await run("npm", ["pack", "--json", `npm@${npmVersion}`, "--pack-destination", context], { cwd: context }),
  ];
  const [packed] = JSON.parse(line) as { filename: string }[];
  await run("tar", ["-xzf", join(context, packed?.filename ?? ""), "-C", context]);
  renameSync(join(context, "package"), join(context, "npm"));
}

function buildOf(kind: string, context: string) {
  return { dockerfile: join(basesDir, kind, "Dockerfile"), context, buildArgs: {} };
}

function dockerfileOf(kind: string): string {
  return readFileSync(join(basesDir, kind, "Dockerfile"), "utf8");
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  mkdirSync(cacheDir(), { recursive: true });
  const folder = mkdtempSync(join(cacheDir(), "context-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function digest(parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}

function hostCaBundle(): string {
  const candidates = [
    process.env.SSL_CERT_FILE,
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
  ];
  const found = candidates.find((path) => path && existsSync(path));
  if (!found) throw new Error("no CA bundle found on this machine: install ca-certificates");
  return found;
}
