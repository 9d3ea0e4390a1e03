import { join } from "node:path";
import { Readable } from "node:stream";
import { checkPath, type LocalFile } from "../artifact/files.ts";
import { permanent } from "../failure.ts";
import type { Fetched, FetchOptions, Unchanged } from "./fetch.ts";
import { BlobReader } from "./git-blobs.ts";
import { type Repository, runGit } from "./git-command.ts";
import { type GitAddress, openRepository } from "./git-repository.ts";
import type { Network, SourceContext } from "./network.ts";
import type { PinnedFiles } from "./pinned.ts";
import { type Written, writeBody } from "./transfer.ts";

interface Wanted {
  address: GitAddress;
  /** A branch, tag or full commit; absent: the default branch. */
  ref?: string | undefined;
  /** A file or folder; absent: all. */
  path?: string | undefined;
}

const fileLimit = 10_000;
const fullCommit = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Files of a commit. The state is the commit, which is asked for without a fetch. */
export async function fetchGit(
  context: SourceContext,
  network: Network,
  { address, ref, path, ...options }: Wanted & FetchOptions,
): Promise<Fetched | Unchanged> {
  const repository = await openRepository(context, network, address);
  try {
    const commit = ref && fullCommit.test(ref) ? ref : await findCommit(repository, ref);
    if (commit === options.known) return { unchanged: true, state: commit };
    await fetchCommit(repository, commit);
    const { entries, folder } = await listTree(repository, { commit, path, wanted: options.wanted });
    const total = entries.reduce((sum, { size }) => sum + size, 0);
    const files: LocalFile[] = [];
    const blobs = new BlobReader(repository);
    try {
      for (const { name, path } of entries) {
        const local = join(options.into, path);
        const received = (bytes: number) => options.progress?.(bytes, total);
        files.push({ path, local, ...(await writeBlob({ repository, blobs, commit, name, received }, local)) });
      }
    } finally {
      blobs.close();
    }
    const origins = entries.map(({ name, path }) => ({ path, uri: `${repository.label}#${name}`, version: commit }));
    return { files, folder, state: commit, origins };
  } finally {
    await repository.close();
  }
}

/** Files of commits that versions pin, one after the other. */
export async function openPinnedGit(
  context: SourceContext,
  network: Network,
  address: GitAddress,
): Promise<PinnedFiles> {
  const repository = await openRepository(context, network, address);
  const fetched = new Set<string>();
  let blobs: BlobReader | undefined;
  return {
    async write({ uri, version = "" }, target) {
      const [pinned, name] = uri.split(/#(.*)/s);
      if (pinned !== repository.label || !name || !fullCommit.test(version)) {
        throw permanent("SourceChanged", `${uri} was pinned when the source was another repository`);
      }
      if (!fetched.has(version)) await fetchCommit(repository, version);
      fetched.add(version);
      blobs ??= new BlobReader(repository);
      return writeBlob({ repository, blobs, commit: version, name }, target);
    },
    oneByOne: true,
    async close() {
      blobs?.close();
      await repository.close();
    },
  };
}

async function findCommit(repository: Repository, ref: string | undefined): Promise<string> {
  const names = ref === undefined ? ["HEAD"] : [`refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`, ref];
  const output = await runGit(repository, ["ls-remote", "--quiet", "--", repository.url, ...names]);
  const found = new Map(output.split("\n").map((line) => line.split("\t").reverse() as [string, string]));
  for (const name of names) {
    const commit = found.get(name);
    if (commit && fullCommit.test(commit)) return commit;
  }
  const what = ref === undefined ? "no default branch" : `no branch or tag ${ref}`;
  throw permanent("SourceNotFound", `${repository.label} has ${what}: check ref`);
}

/** One commit, without its history. */
async function fetchCommit(repository: Repository, commit: string): Promise<void> {
  await runGit(repository, [
    ...[
      "fetch",
      "--quiet",
      "--depth=1",
      "--no-tags",
      "--no-auto-gc",
      "--no-recurse-submodules",
      "--no-write-fetch-head",
    ],
    ...["--", repository.url, commit],
  ]);
}

interface Entry {
  /** In the repository. */
  name: string;
  /** In the version. */
  path: string;
  size: number;
}

async function listTree(
  repository: Repository,
  { commit, path = "", wanted }: { commit: string; path: string | undefined; wanted: FetchOptions["wanted"] },
): Promise<{ entries: Entry[]; folder: boolean }> {
  const root = path.replace(/\/+$/, "");
  const output = await runGit(repository, [
    ...["--literal-pathspecs", "ls-tree", "-r", "-z", "-l", "--full-tree", commit],
    ...(root ? ["--", root] : []),
  ]);
  // Submodules are commits of other repositories: there is nothing of them here.
  const listed = output.split("\0").flatMap((line) => {
    const [, type, size = "", name = ""] = /^\d+ (\w+) [0-9a-f]+ +(\d+|-)\t(.*)$/s.exec(line) ?? [];
    return type === "blob" ? [{ name, size: Number(size) }] : [];
  });
  const single = listed.length === 1 && listed[0]?.name === root;
  const entries = listed
    .map(({ name, size }) => ({
      name,
      size,
      path: single ? (name.split("/").at(-1) ?? "") : name.slice(root ? root.length + 1 : 0),
    }))
    .filter(({ path }) => single || wanted(path));
  if (entries.length > fileLimit) {
    throw permanent("SourceInvalid", `${repository.label} has more than ${fileLimit} files: name a folder in path`);
  }
  if (entries.length === 0) {
    const where = root ? `no ${root}, or nothing of the wanted kind in it` : "no file of the wanted kind";
    throw permanent("SourceNotFound", `${repository.label} has ${where} at ${commit}: check ref, path and format`);
  }
  for (const { path } of entries) checkPath(path, "SourceInvalid");
  return { entries, folder: !single };
}

interface Blob {
  repository: Repository;
  blobs: BlobReader;
  commit: string;
  name: string;
  received?: (bytes: number) => void;
}

const lfsPointer = "version https://git-lfs.github.com/spec/v1\n";

async function writeBlob({ repository, blobs, commit, name, received }: Blob, target: string): Promise<Written> {
  const label = `${repository.label}: ${name}`;
  async function* checked() {
    let first = true;
    for await (const chunk of blobs.read(commit, name)) {
      if (first && chunk.subarray(0, lfsPointer.length).toString("latin1") === lfsPointer) {
        throw permanent(
          "SourceInvalid",
          `${label} is a pointer to Git LFS, which is not read: put the data into a bucket`,
        );
      }
      first = false;
      yield chunk;
    }
  }
  const timing = { idle: repository.timeout, transfer: repository.timeout };
  return writeBody({ stream: Readable.from(checked()), length: undefined, label, received }, target, timing);
}
