import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { down } from "./down.ts";
import { cacheDir, kubeconfigPath, logDir } from "./layout.ts";
import { terminalLog } from "./progress.ts";
import { status, statusText } from "./status.ts";
import { binary, type ToolName, toolNames } from "./tools.ts";
import { up } from "./up.ts";

const help = `Usage: npm run cluster -- <command>

A real single-node Kubernetes on this machine, for the demo and the end-to-end tests. Needs Linux, root and Go 1.25 or newer;
installs containerd and the like with apt when they are missing. The first up builds Kubernetes from source: about ten minutes on
two cores. Later ones take seconds.

Commands:
  up                 make the cluster, or mend it, and wait until its node is Ready
  down               end it and delete all it made, except the cache
  status [--json]    say what runs; exits with 1 unless all does
  kubeconfig [--raw] print the path of the kubeconfig, or with --raw its content
  binary <name>      print the path of a program, built if need be:
                     ${toolNames.join(" ")}

Use it:
  export KUBECONFIG=$(npm run -s cluster -- kubeconfig)
  $(npm run -s cluster -- binary kubectl) get nodes

Cache (LEMNIS_CACHE overrides): ${cacheDir()}
Logs while it runs: ${logDir}
`;

const commands: Record<string, (flags: { raw: boolean; json: boolean }, words: string[]) => Promise<number>> = {
  async up() {
    const log = terminalLog();
    await up({ log });
    log(`the cluster is ready: export KUBECONFIG=${kubeconfigPath}`);
    return 0;
  },
  async down() {
    await down({ log: terminalLog() });
    return 0;
  },
  async status({ json }) {
    const found = await status();
    console.log(json ? JSON.stringify(found, null, 2) : statusText(found));
    return found.state === "Running" ? 0 : 1;
  },
  async kubeconfig({ raw }) {
    if (!existsSync(kubeconfigPath)) throw new Error("there is no cluster: make it with `npm run cluster -- up`");
    console.log(raw ? readFileSync(kubeconfigPath, "utf8").trimEnd() : kubeconfigPath);
    return 0;
  },
  async binary(_flags, [name]) {
    if (!toolNames.includes(name as ToolName)) throw new Error(`binary needs one of: ${toolNames.join(", ")}`);
    console.log(await binary(name as ToolName, { log: terminalLog() }));
    return 0;
  },
};

async function main(): Promise<number> {
  const options = {
    help: { type: "boolean", short: "h" },
    raw: { type: "boolean" },
    json: { type: "boolean" },
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [name = "", ...words] = positionals;
  if (values.help || name === "help") {
    console.log(help);
    return 0;
  }
  const command = commands[name];
  if (!command) {
    console.error(name ? `There is no command ${name}.\n\n${help}` : help);
    return 2;
  }
  return command({ raw: values.raw ?? false, json: values.json ?? false }, words);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
