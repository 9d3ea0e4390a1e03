/** What a build depends on, beside the Dockerfile's own text. */
export interface DockerfileInputs {
  /** Images named by FROM, without the names of the file's own stages. */
  bases: string[];
  /** Patterns of files that COPY and ADD take from the context. */
  sources: string[];
}

/** Reads FROM, ARG, COPY and ADD. `buildArgs` overrides the defaults of ARG, as it does in a build. */
export function readDockerfile(text: string, buildArgs: Record<string, string> = {}): DockerfileInputs {
  const variables = new Map<string, string>();
  const stages = new Set<string>(["scratch"]);
  const bases = new Set<string>();
  const sources = new Set<string>();
  const expand = (word: string) =>
    word.replace(/\$\{(\w+)\}|\$(\w+)/g, (whole, braced, bare) => variables.get(braced ?? bare) ?? whole);
  for (const line of instructions(text)) {
    const [keyword = "", ...rest] = line.split(/\s+/);
    const words = rest.filter((word) => !word.startsWith("--"));
    if (keyword.toUpperCase() === "ARG") {
      const [name = "", value] = (words[0] ?? "").split(/=(.*)/s);
      const chosen = buildArgs[name] ?? value;
      if (chosen !== undefined) variables.set(name, expand(unquote(chosen)));
    } else if (keyword.toUpperCase() === "FROM") {
      const base = expand(words[0] ?? "");
      if (!stages.has(base)) bases.add(base);
      if (words[1]?.toUpperCase() === "AS" && words[2]) stages.add(words[2]);
    } else if (/^(COPY|ADD)$/i.test(keyword) && !rest.some((word) => word.startsWith("--from="))) {
      for (const source of copied(words)) sources.add(expand(source));
    }
  }
  return { bases: [...bases], sources: [...sources] };
}

/** Instructions on one line each: comments dropped, continued lines joined. */
function instructions(text: string): string[] {
  const kept = text.split("\n").filter((line) => !/^\s*#/.test(line));
  return kept
    .join("\n")
    .replace(/\\\s*\n/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

function copied(words: readonly string[]): string[] {
  const list = words.join(" ");
  const all = list.startsWith("[") ? (JSON.parse(list) as string[]) : words;
  return all.slice(0, -1).filter((source) => !source.includes("://"));
}

function unquote(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, "$2");
}
