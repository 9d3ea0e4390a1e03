import type { LocalFile } from "../artifact/files.ts";
import { pathSplit, splitNames } from "../table/split.ts";
import type { Content, Making } from "./register.ts";
import { inFolder } from "./store-files.ts";

/** Of the format Files: a list of files and no table. Its splits are drawn by path, so a file stays where it is. */
export function splitFiles({ task, source }: Making): Content {
  const { splits } = task;
  const names = splitNames(splits);
  const drawn = (path: string) => (splits && "shares" in splits ? pathSplit(splits, path) : 0);
  const files: LocalFile[] = [];
  const counts = Object.fromEntries(names.map((name) => [name, 0]));
  for (const file of source.files) {
    const name = names[drawn(file.path)] ?? "all";
    files.push(...inFolder(name, [file]));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return { files, rows: source.files.length, splits: counts, columns: [], profile: [] };
}
