/** What --help prints. */

const commands = {
  profile: {
    usage: "profile NAME [VERSION]",
    summary: "what is in a version: statistics, distributions, missing values, correlations",
    text: `VERSION is a number or a digest. Default: the current version.`,
    options: ["output"],
    examples: ["kubectl lemnis profile wine", "kubectl lemnis profile wine 3 --output wine-3.html"],
  },
  diff: {
    usage: "diff NAME VERSION [VERSION]",
    summary: "what has changed from one version to another, what drifted the most first",
    text: `Compares the first version with the second one. Default for the second: the current version.`,
    options: ["output"],
    examples: ["kubectl lemnis diff wine 3 4", "kubectl lemnis diff wine 3 --output changes.html"],
  },
  versions: {
    usage: "versions NAME",
    summary: "the versions that the store keeps, newest first",
    text: `Prints a table of them.`,
    options: ["json"],
    examples: ["kubectl lemnis versions wine"],
  },
  refresh: {
    usage: "refresh NAME",
    summary: "look at the source again, now",
    text: `Sets the annotation lemnis.dev/refresh. With --wait, ends when the look has ended: with code 1 when it failed.`,
    options: ["wait"],
    examples: ["kubectl lemnis refresh wine --wait --timeout 5m"],
  },
} as const;

export type CommandName = keyof typeof commands;

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}

const optionTexts = {
  output: `  -o, --output json|FILE.html   JSON, or one page that opens without a network. Default: text.`,
  json: `  -o, --output json             JSON. Default: a table.`,
  wait: `      --wait                    Wait until the look has ended.
      --timeout DURATION        How long to wait, such as 90s. Default: 10m.`,
};

const common = `  -n, --namespace NAMESPACE     The Dataset's namespace. Default: the context's.
      --context CONTEXT         A context of the kubeconfig. Default: the current one.
      --store NAMESPACE/SERVICE The store's Service. Default: lemnis-system/lemnis-store.
  -h, --help                    This text.`;

export const overview = `Usage: kubectl lemnis COMMAND NAME [options]

Commands, each with a --help of its own:
${Object.values(commands)
  .map(({ usage, summary }) => `  ${usage.padEnd(29)} ${summary}`)
  .join("\n")}

Options of each:
${common}
`;

export function commandHelp(name: CommandName): string {
  const { usage, summary, text, options, examples } = commands[name];
  return `Usage: kubectl lemnis ${usage} [options]

${summary[0]?.toUpperCase()}${summary.slice(1)}. ${text}

Options:
${options.map((option) => optionTexts[option]).join("\n")}
${common}

Examples:
${examples.map((example) => `  ${example}`).join("\n")}
`;
}
