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

export const sources: readonly Source[] = paths
  .filter((path) => /^(operator|test|scripts)\/.*\.m?ts$/.test(path))
  .map((path) => {
    const text = read(path);
    const names = [...text.matchAll(/^(?:import|export)\s[^;]*?from "([^"]+)";|\bimport\("([^"]+)"\)/gm)];
    const imports = names.map(([, still, dynamic]) => still ?? dynamic ?? "");
    return { path, text, imports: imports.map((name) => (name.startsWith(".") ? join(path, "..", name) : name)) };
  });
