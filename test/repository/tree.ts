/** What is in the repository, as git would commit it. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** Paths of all files that are committed or could be. */
export const paths: readonly string[] = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard"],
  {
    cwd: root,
    encoding: "utf8",
  },
)
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(root, path)));

export const read = (path: string): string => readFileSync(join(root, path), "utf8");

export interface Source {
  path: string;
  text: string;
  /** What it imports: packages by name, own files by their path in the repository. */
  imports: string[];
}

/** Names that a source imports, in each of the ways there are: from, for its effect, when it is reached, and as a type. */
export function importsIn(text: string): string[] {
  const found = text.matchAll(/^(?:import|export)\s[^;]*?from "([^"]+)";|^import "([^"]+)";|\bimport\(\s*"([^"]+)"/gm);
  return [...found].map(([, from, effect, dynamic]) => from ?? effect ?? dynamic ?? "");
}

export const sources: readonly Source[] = paths
  .filter((path) => /^(operator|test|scripts)\/.*\.m?ts$/.test(path))
  .map((path) => {
    const text = read(path);
    return {
      path,
      text,
      imports: importsIn(text).map((name) => (name.startsWith(".") ? join(path, "..", name) : name)),
    };
  });
