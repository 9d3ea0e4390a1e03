/** `npm run bench -- NAME`: measures on this machine, printed as a Markdown table. Each bench has a folder of its own. */
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { terminalLog } from "../cluster/progress.ts";
import { Report } from "./report.ts";

interface Bench {
  usage: string;
  /** False: the arguments are wrong, and nothing was done. */
  run(args: readonly string[], report: Report): Promise<boolean>;
}

const benches: Record<string, () => Promise<Bench>> = {
  large: () => import("./large/main.ts"),
  operator: () => import("./operator/main.ts"),
  online: () => import("./online/main.ts"),
  profile: () => import("./profile/main.ts"),
};

const [first = "", ...others] = process.argv.slice(2);
// The first bench is meant when none is named.
const [name, args] = first && !first.startsWith("-") ? [first, others] : ["operator", process.argv.slice(2)];
const load = benches[name];
if (!load) {
  console.log(`npm run bench [-- NAME [OPTIONS]]\n  NAME  one of: ${Object.keys(benches).join(", ")} (operator)`);
  process.exit(2);
}
const bench = await load();
const report = new Report(terminalLog());
const isHelp = args.includes("--help");
if (isHelp || !(await bench.run(args, report))) {
  console.log(bench.usage);
  process.exit(isHelp ? 0 : 2);
}
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`;
console.log(`Lemnis ${version}, ${new Date().toISOString().slice(0, 10)}, ${machine}\n\n${report.markdown()}`);
