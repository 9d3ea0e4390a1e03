/** The command line. */
import { parseArgs } from "node:util";
import { UserError } from "./failure.ts";
import { type CommandName, commandHelp, isCommand, overview } from "./help.ts";

export interface Target {
  namespace: string | undefined;
  context: string | undefined;
  /** The store's Service. */
  store: { namespace: string; name: string };
}

/** Where a profile or a comparison goes: the terminal, the terminal as JSON, or a page in a file. */
export type Output = { kind: "text" } | { kind: "json" } | { kind: "page"; file: string };

export type Command =
  | { command: "help"; text: string }
  | ({ command: "profile"; name: string; version: string | undefined; output: Output } & Target)
  | ({ command: "diff"; name: string; before: string; after: string | undefined; output: Output } & Target)
  | ({ command: "versions"; name: string; output: Output } & Target)
  | ({ command: "refresh"; name: string; wait: boolean; timeoutMs: number } & Target);

const options = {
  namespace: { type: "string", short: "n" },
  context: { type: "string" },
  store: { type: "string" },
  output: { type: "string", short: "o" },
  wait: { type: "boolean" },
  timeout: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const allowed: Record<CommandName, readonly string[]> = {
  profile: ["output"],
  diff: ["output"],
  versions: ["output"],
  refresh: ["wait", "timeout"],
};
const everywhere = ["namespace", "context", "store", "help"];

/** Throws a UserError that says what is wrong with the command line. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = read(args);
  const [command, name, ...rest] = positionals;
  if (command === undefined || command === "help") {
    return { command: "help", text: name !== undefined && isCommand(name) ? commandHelp(name) : overview };
  }
  if (!isCommand(command)) throw usage(`there is no command "${command}"`);
  if (values.help) return { command: "help", text: commandHelp(command) };
  const foreign = Object.keys(values).find((key) => !everywhere.includes(key) && !allowed[command].includes(key));
  if (foreign) throw usage(`${command} takes no --${foreign}`, command);
  if (name === undefined) throw usage(`${command} needs the name of a Dataset`, command);
  const target = { name, namespace: values.namespace, context: values.context, store: storeOf(values.store) };
  const versions = { profile: 1, diff: 2, versions: 0, refresh: 0 }[command];
  if (rest.length > versions) throw usage(`${command} does not take "${rest[versions]}"`, command);
  for (const version of rest) checkVersion(version);
  switch (command) {
    case "profile":
      return { command, ...target, version: rest[0], output: outputOf(values.output) };
    case "diff": {
      const [before, after] = rest;
      if (before === undefined) throw usage("diff needs the version to compare with", command);
      return { command, ...target, before, after, output: outputOf(values.output) };
    }
    case "versions": {
      const output = outputOf(values.output);
      if (output.kind === "page") throw usage("versions writes no page: --output takes json", command);
      return { command, ...target, output };
    }
    case "refresh":
      return { command, ...target, wait: values.wait ?? false, timeoutMs: timeoutOf(values.timeout) };
  }
}

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw usage((error as Error).message);
  }
}

function usage(problem: string, command?: CommandName): UserError {
  return new UserError(`${problem}\nSee: kubectl lemnis ${command ? `${command} ` : ""}--help`, 2);
}

function checkVersion(version: string): void {
  if (/^([1-9][0-9]{0,9}|sha256:[0-9a-f]{64})$/.test(version)) return;
  throw usage(`"${version}" is no version: give its number or its digest (sha256:…)`);
}

function outputOf(value: string | undefined): Output {
  if (value === undefined) return { kind: "text" };
  if (value === "json") return { kind: "json" };
  if (/\.html?$/.test(value)) return { kind: "page", file: value };
  throw usage(`--output takes json or the name of a page such as profile.html, not "${value}"`);
}

function storeOf(value = "lemnis-system/lemnis-store"): Target["store"] {
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9-]+)$/.exec(value) ?? [];
  if (!namespace || !name) throw usage(`--store takes NAMESPACE/SERVICE, not "${value}"`);
  return { namespace, name };
}

function timeoutOf(value = "10m"): number {
  const [, count, unit] = /^([1-9][0-9]{0,5})(s|m|h)$/.exec(value) ?? [];
  if (!count || !unit) throw usage(`--timeout takes a duration such as 90s or 10m, not "${value}"`);
  return Number(count) * { s: 1000, m: 60_000, h: 3_600_000 }[unit as "s" | "m" | "h"];
}
