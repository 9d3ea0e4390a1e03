import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { permanent } from "../failure.ts";
import { type Repository, spawnGit } from "./git-command.ts";

/**
 * Contents of a commit's files by path, one after the other, from one `git cat-file --batch`: no checkout, so no filter,
 * no hook and no link on our disk. A link is followed within the tree, and refused where it leads out.
 */
export class BlobReader {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #label: string;
  #rest = Buffer.alloc(0);

  constructor(repository: Repository) {
    this.#child = spawnGit(repository, ["cat-file", "--batch", "--follow-symlinks"]);
    // What is wrong with it shows when it is read.
    this.#child.on("error", () => {}).stdin.on("error", () => {});
    this.#child.stderr.resume();
    this.#chunks = this.#child.stdout[Symbol.asyncIterator]();
    this.#label = repository.label;
  }

  /** Must be read to its end before the next. */
  async *read(commit: string, path: string): AsyncGenerator<Buffer> {
    this.#child.stdin.write(`${commit}:${path}\n`);
    const header = await this.#line();
    const [, type, length] = /^[0-9a-f]{40,64} (\w+) (\d+)$/.exec(header) ?? [];
    if (type !== "blob") {
      const why = /^(symlink|dangling|loop|notdir) /.test(header)
        ? "is a link that leads to no file of the repository"
        : type === "tree"
          ? "is a link to a folder"
          : "is not there";
      throw permanent("SourceInvalid", `${this.#label}: ${path} ${why}: put the file itself there`);
    }
    let left = Number(length);
    while (left > 0) {
      const chunk = await this.#take(left);
      left -= chunk.length;
      yield chunk;
    }
    await this.#take(1);
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(0x0a);
      if (end >= 0) {
        const line = this.#rest.subarray(0, end).toString("utf8");
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      this.#rest = Buffer.concat([this.#rest, await this.#next()]);
    }
  }

  async #take(most: number): Promise<Buffer> {
    if (this.#rest.length === 0) this.#rest = Buffer.from(await this.#next());
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async #next(): Promise<Buffer> {
    const { value, done } = await this.#chunks.next();
    if (done) throw new Error(`${this.#label}: git ended before it was told to`);
    return value;
  }
}
