/** Real repositories over https and ssh. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sshUser } from "../../../operator/agent/source/ssh-user.ts";
import { run } from "../../cluster/command.ts";
import { type GitServer, startGit } from "../../servers/git.ts";
import { contents, failure, type Pod, startPod } from "./sources.ts";

let git: GitServer;
let pod: Pod;
let first: string;
let second: string;

beforeAll(async () => {
  git = await startGit();
  first = await git.commit("data.git", { "wine/a.csv": "a\n1\n" });
  second = await git.commit("data.git", { "wine/a.csv": "a\n2\n", "wine/deep/b.csv": "a\n3\n", "README.md": "hello" });
  await run("git", ["-C", git.folder("data.git"), "tag", "v1", first]);
  await run("git", [
    ...["-C", git.folder("data.git"), "-c", "user.name=t", "-c", "user.email=t@example.com"],
    ...["tag", "-a", "-m", "annotated", "v2", second],
  ]);
});
afterAll(() => git.stop());
beforeEach(async () => {
  git.authorization = undefined;
  pod = await startPod();
  await pod.secret({ "ca.crt": git.ca });
});
afterEach(() => pod.close());

describe.each(["https", "ssh"] as const)("over %s", (protocol) => {
  const uri = () => (protocol === "https" ? `${git.https}/data.git` : `${git.ssh}${git.folder("data.git")}`);
  beforeEach(async () => {
    if (protocol === "ssh") await pod.secret({ "ssh-privatekey": git.sshKey, known_hosts: git.knownHosts });
  });

  test("the default branch, a tag, an annotated tag and a full commit", async () => {
    expect(await contents(await pod.fetch({ uri: uri() }))).toEqual({
      "README.md": "hello",
      "wine/a.csv": "a\n2\n",
      "wine/deep/b.csv": "a\n3\n",
    });
    expect(await pod.fetch({ uri: uri(), ref: "main" })).toMatchObject({ state: second });
    expect(await pod.fetch({ uri: uri(), ref: "v2" })).toMatchObject({ state: second });
    const old = { folder: true, state: first, files: [{ path: "wine/a.csv", size: 4 }] };
    expect(await pod.fetch({ uri: uri(), ref: "v1" })).toMatchObject(old);
    expect(await pod.fetch({ uri: uri(), ref: first })).toMatchObject(old);
  });

  test("a folder and a file of it, with what pins them", async () => {
    expect(await contents(await pod.fetch({ uri: uri(), path: "wine/" }))).toEqual({
      "a.csv": "a\n2\n",
      "deep/b.csv": "a\n3\n",
    });
    const fetched = await pod.fetch({ uri: uri(), path: "wine/a.csv" });
    expect(fetched).toMatchObject({
      folder: false,
      files: [{ path: "a.csv", digest: expect.stringMatching(/^sha256:/) }],
      origins: [{ path: "a.csv", uri: `${uri()}#wine/a.csv`, version: second }],
    });
  });

  test("nothing is fetched while the branch stays where it is", async () => {
    expect(await pod.fetch({ uri: uri() }, { known: second })).toEqual({
      unchanged: true,
      state: second,
    });
  });

  test.each([
    [{ ref: "none" }, "SourceNotFound", /no branch or tag none/],
    [{ ref: "f".repeat(40) }, "SourceNotFound", /check ref/],
    [{ path: "none/" }, "SourceNotFound", /no none/],
  ])("%j is not there", async (access, reason, says) => {
    await expect(pod.fetch({ uri: uri(), ...access })).rejects.toMatchObject(failure(reason, says));
  });

  test("a repository that is not there, and one where the platform team lets nobody go", async () => {
    await expect(pod.fetch({ uri: `${uri()}x` })).rejects.toMatchObject(failure("SourceNotFound", "does not exist"));
    const denied = pod.fetch({ uri: uri(), deniedRanges: ["127.0.0.0/8"] });
    await expect(denied).rejects.toMatchObject(failure("SourceForbidden", "127.0.0.0/8 (denied"));
    const strict = await startPod({ allowLoopback: false });
    await strict.secret({ "ssh-privatekey": git.sshKey, known_hosts: git.knownHosts });
    await expect(strict.fetch({ uri: uri() })).rejects.toMatchObject(failure("SourceForbidden", "loopback"));
    await strict.close();
  });
});

describe("credentials", () => {
  test("of https are sent as Basic, and asked for where they are missing", async () => {
    git.authorization = `Basic ${Buffer.from("x-access-token:s3cret").toString("base64")}`;
    const uri = `${git.https}/data.git`;
    await expect(pod.fetch({ uri })).rejects.toMatchObject(failure("SourceForbidden", "check secretRef"));
    await pod.secret({ token: "s3cret" });
    expect(await pod.fetch({ uri })).toMatchObject({ state: second });
    await pod.secret({ token: "wrong-and-not-told" });
    await expect(pod.fetch({ uri })).rejects.toMatchObject({ message: expect.not.stringContaining("not-told") });
  });

  test("of ssh must be there, and the server must have the known host key", async () => {
    const uri = `${git.ssh}${git.folder("data.git")}`;
    await expect(pod.fetch({ uri })).rejects.toMatchObject(failure("SourceForbidden", "known_hosts"));
    const other = git.knownHosts.replace(/.{6}$/, "AAAAAA");
    await pod.secret({ "ssh-privatekey": git.sshKey, known_hosts: other });
    await expect(pod.fetch({ uri })).rejects.toMatchObject(failure("SourceForbidden", "host key"));
  });

  test("a certificate that nobody vouches for is not trusted", async () => {
    await pod.secret({ "ca.crt": "" });
    await expect(pod.fetch({ uri: `${git.https}/data.git` })).rejects.toMatchObject(
      failure("SourceUnreachable", "certificate", true),
    );
  });
});

describe("a repository with", () => {
  let repositories = 0;
  const fetch = async (files: Parameters<GitServer["commit"]>[1], path?: string) => {
    const name = `odd-${repositories++}.git`;
    await git.commit(name, files);
    return pod.fetch({ uri: `${git.https}/${name}`, ...(path ? { path } : {}) });
  };

  test("a link within it, which is followed", async () => {
    const fetched = await fetch({ "a.csv": "a\n1\n", "wine/b.csv": { link: "../a.csv" } }, "wine/b.csv");
    expect(await contents(fetched)).toEqual({ "b.csv": "a\n1\n" });
  });

  test.each([
    ["out of it", "../../etc/passwd"],
    ["to an absolute path", "/etc/passwd"],
    ["to nothing", "none"],
    ["to itself", "link.csv"],
    ["to a folder", "folder"],
  ])("a link %s", async (_, link) => {
    await expect(fetch({ "folder/a.csv": "a\n1\n", "link.csv": { link } })).rejects.toMatchObject(
      failure("SourceInvalid", /link\.csv is a link/),
    );
  });

  test("a submodule, of which nothing is fetched, and attributes, which change nothing", async () => {
    const fetched = await fetch({
      ".gitattributes": "*.csv filter=evil ident text eol=crlf\n",
      ".gitmodules": '[submodule "m"]\n\tpath = m\n\turl = file:///etc\n',
      "a.csv": "$Id$\n1\n",
      m: { submodule: "1".repeat(40) },
    });
    expect(await contents(fetched)).toMatchObject({ "a.csv": "$Id$\n1\n" });
    expect(Object.keys(await contents(fetched))).toEqual([".gitattributes", ".gitmodules", "a.csv"]);
  });

  test("a pointer to Git LFS", async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 5\n`;
    await expect(fetch({ "a.csv": pointer })).rejects.toMatchObject(failure("SourceInvalid", "Git LFS"));
  });

  test("a file name with a line break", async () => {
    await expect(fetch({ "a\nb.csv": "a\n1\n" })).rejects.toMatchObject(failure("SourceInvalid", "file name"));
  });

  test("itself ten times in itself, ten times over", async () => {
    await git.commit("bomb.git", { "a.csv": "a\n1\n" });
    const at = (args: string[], input = "") => run("git", ["-C", git.folder("bomb.git"), ...args], { input });
    let entry = `100644 blob ${(await at(["rev-parse", "main:a.csv"])).trim()}`;
    for (let depth = 0; depth < 8; depth++) {
      const names = Array.from({ length: 10 }, (_, index) => `${entry}\tname-of-some-length-${index}\n`);
      entry = `040000 tree ${(await at(["mktree"], names.join(""))).trim()}`;
    }
    const author = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
    const commit = await at([...author, "commit-tree", "-m", "x", entry.split(" ")[2] ?? ""]);
    await at(["update-ref", "refs/heads/main", commit.trim()]);
    await expect(pod.fetch({ uri: `${git.https}/bomb.git` })).rejects.toMatchObject(
      failure("SourceInvalid", "too many files"),
    );
  });
});

test("ssh runs as a user without an entry in /etc/passwd, as a pod may", async () => {
  const user = { uid: 54_321, gid: 54_321 };
  expect(await sshUser(pod.paths.work)).toEqual({});
  const folder = await mkdtemp(join(tmpdir(), "lemnis-ssh-"));
  try {
    await chmod(folder, 0o755);
    const ssh = (env: Record<string, string>) =>
      promisify(execFile)("ssh", ["-F", "/dev/null", "-G", "host"], { ...user, env: { PATH: "/usr/bin", ...env } });
    await expect(ssh({})).rejects.toThrow("No user exists for uid 54321");
    const { stdout } = await ssh(await sshUser(folder, { ...user, isKnown: false }));
    expect(stdout).toMatch(/^user lemnis$/m);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each(["git+https://user@host/a", "git+ssh://-oProxyCommand=x/a", "git+https://host", "git+ssh://a b@host/x"])(
  "%s is no repository",
  async (uri) => {
    await expect(pod.fetch({ uri })).rejects.toMatchObject(failure("SourceInvalid", "repository"));
  },
);
